import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../operator/loop/clock.ts";
import { openCluster } from "../../../plugin/cluster.ts";

const KUBECONFIG = `
apiVersion: v1
kind: Config
current-context: work
clusters: [{name: one, cluster: {server: "https://api.example.com"}}]
users: [{name: jane, user: {token: t}}]
contexts: [{name: work, context: {cluster: one, user: jane, namespace: team}}]
`;

describe("where the plugin looks", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
    await writeFile(join(folder, "config"), KUBECONFIG);
  });
  after(() => rm(folder, { recursive: true }));

  for (const [said, namespace, what] of [
    [undefined, "team", "in the context's namespace"],
    ["", "team", "in the context's namespace where an empty one is given, as kubectl does"],
    ["other", "other", "in the namespace that is given"],
  ] as const)
    it(`is ${what}`, async () => {
      const where = said === undefined ? {} : { namespace: said };
      const cluster = await openCluster({ file: join(folder, "config"), clock: systemClock, version: "1", ...where });
      try {
        assert.equal(cluster.namespace, namespace);
      } finally {
        await cluster.close();
      }
    });
});
