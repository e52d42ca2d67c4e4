import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveRef } from "../../../operator/source/git.ts";
import { aRepository, type GitServer, type Repository, startGitServer } from "./git-server.ts";
import { aCertificateFor } from "./tls.ts";

describe("git over https", () => {
  let repository: Repository;
  let server: GitServer;
  let folder: string;
  let commit: string;
  const access = () => ({ url: `${server.url}/modules.git`, timeoutMs: 10_000, signal: new AbortController().signal });

  before(async () => {
    repository = await aRepository();
    commit = await repository.commit("main", { "main.tf": "#" });
    folder = await mkdtemp(join(tmpdir(), "terrarium-ca-test-"));
    const certificate = await aCertificateFor("localhost");
    await writeFile(join(folder, "ca.crt"), certificate.certPem);
    server = await startGitServer(repository.root, { certificate });
  });
  after(async () => {
    await server.close();
    await repository.remove();
    await rm(folder, { recursive: true });
  });

  it("trusts the authority that it is given", async () => {
    assert.deepEqual(await resolveRef({ ...access(), caFile: join(folder, "ca.crt") }), { revision: commit });
  });

  it("trusts nobody else, and says what to do", async () => {
    await assert.rejects(resolveRef(access()), { reason: "GitFailed", message: /not trusted; give .* as ca\.crt/ });
  });
});
