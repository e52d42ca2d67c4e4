import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { podLayout } from "../../../runner/agent/layout.ts";
import { MountedObjects } from "../../../runner/agent/mounted.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";
import { fetchSource } from "../../../runner/agent/source.ts";
import { aWorkOrder } from "../../fakes/gateway.ts";
import { aRepository, type GitServer, type Repository, startGitServer } from "../source/git-server.ts";
import { aCertificateFor, type ServerCertificate } from "../source/tls.ts";

const login = { username: "robot", password: "a-long-password" };

describe("The login of a git source", () => {
  let repository: Repository;
  let certificate: ServerCertificate;
  let root: string;
  const servers: GitServer[] = [];
  before(async () => {
    repository = await aRepository();
    await repository.commit("main", { "main.tf": "#" });
    certificate = await aCertificateFor("localhost");
  });
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "terrarium-source-test-"));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await rm(root, { recursive: true });
  });
  after(() => repository.remove());

  const write = async (path: string, text: string) => {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  };

  /** What is lent after a fetch from such a server, with these keys beside the login in the source's Secret. */
  async function lent(
    options: { readonly certificate?: ServerCertificate },
    more: Readonly<Record<string, string>> = {},
  ) {
    const server = await startGitServer(repository.root, { login, ...options });
    servers.push(server);
    for (const [key, text] of Object.entries({ ...login, ...more })) await write(`secrets-in/shop-git/${key}`, text);
    await mkdir(join(root, "spool"));
    const [inside, spool] = [join(root, "in"), join(root, "spool")];
    const layout = {
      ...podLayout,
      in: inside,
      spool,
      secretInputs: join(root, "secrets-in"),
      caBundle: join(root, "ca"),
    };
    const git = { url: `${server.url}/modules.git`, interval: "5m", secretRef: { name: "shop-git" } };
    const tools = {
      layout,
      mounted: new MountedObjects(layout),
      gateway: undefined as never,
      scrubber: new Scrubber(),
      signal: new AbortController().signal,
    };
    const fetched = await fetchSource(aWorkOrder({ source: { git } }), tools);
    assert.notEqual(fetched.revision, undefined);
    return fetched.sourceCredentials;
  }

  it("is lent, so that the branch can be followed", async () => {
    assert.deepEqual(await lent({}), login);
  });

  it("is not lent where certificates were needed that only the Run has", async () => {
    assert.equal(await lent({ certificate }, { "ca.crt": certificate.certPem }), undefined);
    await rm(join(root, "secrets-in"), { recursive: true });
    await rm(join(root, "spool"), { recursive: true });
    await write("ca", certificate.certPem);
    assert.equal(await lent({ certificate }), undefined);
  });
});
