import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contentsOf } from "../../../operator/source/git.ts";
import { aRepository, type GitServer, type GitServerOptions, type Repository, startGitServer } from "./git-server.ts";

const files = {
  "live/net/main.tf": "# net",
  "live/db/main.tf": "# db",
  "modules/vpc/main.tf": "# vpc",
  "clusters/shop.yaml": "kind: Environment",
};

describe("contentsOf", () => {
  let repository: Repository;
  let scratch: string;
  const open: GitServer[] = [];

  const serve = async (options: GitServerOptions = {}): Promise<string> => {
    const server = await startGitServer(repository.root, options);
    open.push(server);
    return `${server.url}/modules.git`;
  };
  const look = async (url: string, revision: string, ...paths: readonly string[]) =>
    contentsOf({ url, revision, paths, scratch, timeoutMs: 15_000, signal: new AbortController().signal });

  beforeEach(async () => {
    repository = await aRepository();
    scratch = await mkdtemp(join(tmpdir(), "terrarium-contents-test-"));
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
    assert.deepEqual(await readdir(scratch), [], "nothing is left in the scratch folder");
    await repository.remove();
    await rm(scratch, { recursive: true });
  });

  for (const [name, filter, modern] of [
    ["leaves files out", true, true],
    ["cannot leave files out", false, true],
    ["speaks git's first protocol", false, false],
  ] as const) {
    it(`tells a folder that changed from those that did not, from a server that ${name}`, async () => {
      await repository.git("config", "uploadpack.allowFilter", String(filter));
      const first = await repository.commit("main", files);
      const second = await repository.commit("main", { ...files, "live/db/main.tf": "# another db" });
      const url = await serve({ modern });
      const paths = ["live/net", "live/db", "modules", "clusters/shop.yaml"];
      const before = await look(url, first, ...paths);
      const after = await look(url, second, ...paths);
      assert.deepEqual(Object.keys(after).toSorted(), paths.toSorted());
      assert.deepEqual(
        paths.filter((path) => before[path] !== after[path]),
        ["live/db"],
      );
    });
  }

  it("takes the root for everything, and a path that does not exist for nothing", async () => {
    const commit = await repository.commit("main", files);
    const found = await look(await serve(), commit, ".", "no/such", "live");
    assert.deepEqual(Object.keys(found).toSorted(), [".", "live"]);
    assert.equal(found["."], await repository.git("rev-parse", `${commit}^{tree}`));
    assert.equal(found.live, await repository.git("rev-parse", `${commit}:live`));
  });

  it("takes two ways of writing a folder for one, and no name for a pattern", async () => {
    const commit = await repository.commit("main", { ...files, "li*e/main.tf": "# star" });
    const found = await look(await serve(), commit, "./live/net/", "live/net", "li*e");
    assert.equal(found["./live/net/"], found["live/net"]);
    assert.equal(found["li*e"], await repository.git("rev-parse", `${commit}:li*e`));
  });
});
