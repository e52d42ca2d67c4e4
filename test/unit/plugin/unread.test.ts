import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Environment } from "../../../operator/api/environment.ts";
import type { Run } from "../../../operator/api/run.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { type Exchange, type FakeApi, fakeApi } from "../cluster/fake-api.ts";
import { aShopRun, held, shop } from "./shop.ts";

const program = fileURLToPath(new URL("../../../plugin/main.ts", import.meta.url));
const run = promisify(execFile);

const plans = [held("network", 1, "a"), held("catalog", 2, "b"), held("database", 3, "c"), held("app", 4, "d")];
const working = aShopRun("monitor", 5, {
  observedGeneration: 1,
  phase: "Applying",
  pods: [{ name: "shop-monitor-5-p", uid: "u5", createdAt: "2026-01-01T00:00:00Z" }],
});

/** An API server with these Runs of the shop, as far as these commands ask. */
function answers(runs: readonly Run[], refused = ""): (exchange: Exchange) => void {
  const objects: Readonly<Record<string, Environment | Run>> = {
    "/apis/terrarium.dev/v1alpha1/namespaces/team/environments/shop": shop(),
    "/apis/terrarium.dev/v1alpha1/namespaces/team/runs/shop-monitor-5": working,
  };
  return ({ method, path, body, response, reply, refuse }) => {
    if (path.endsWith("/selfsubjectreviews")) return reply(201, { status: { userInfo: { username: "jane" } } });
    if (path.endsWith("/runs")) return reply(200, { metadata: { resourceVersion: "1" }, items: runs });
    if (path.endsWith("/log")) {
      const speaking = setInterval(() => response.write(`${new Date().toISOString()} still here\n`), 20);
      return void response.once("close", () => clearInterval(speaking));
    }
    if (method === "POST" && refused !== "" && body.includes(refused)) return refuse(403, "Forbidden");
    if (method === "POST") return reply(201, JSON.parse(body));
    const object = objects[path];
    return object === undefined ? refuse(404, "NotFound") : reply(200, object);
  };
}

describe("kubectl terrarium behind a pipe that nobody reads to the end", function () {
  this.timeout(60_000);
  let dir: string;
  let api: FakeApi | undefined;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "terrarium-unread-"));
  });
  afterEach(() => api?.close());
  after(() => rm(dir, { recursive: true, force: true }));

  /** Its exit code, and the Approvals that were asked for. */
  async function piped(answer: (exchange: Exchange) => void, command: string, into: string) {
    api = await fakeApi(answer);
    const kubeconfig = join(dir, "kubeconfig");
    const one = (key: string, value: object) => [{ name: "one", [key]: value }];
    const config = {
      "current-context": "one",
      clusters: one("cluster", { server: api.connection.origin, "insecure-skip-tls-verify": true }),
      users: one("user", { token: "t" }),
      contexts: one("context", { cluster: "one", user: "one", namespace: "team" }),
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    const line = `"${process.execPath}" "${program}" 2>"${dir}/err" ${command} | ${into}; echo "code \${PIPESTATUS[0]}"`;
    const { stdout } = await run("bash", ["-c", line], { env: { PATH: "/usr/bin:/bin", KUBECONFIG: kubeconfig } });
    const asked = api.exchanges.filter(({ method, path }) => method === "POST" && path.endsWith("/approvals"));
    return { code: Number(/code (\d+)\n$/.exec(stdout)?.[1]), approvals: asked.length };
  }

  for (const into of ["true", "grep -q ^Approved"]) {
    it(`approve | ${into} signs every plan`, async () => {
      const { code, approvals } = await piped(answers(plans), "approve shop --yes", into);
      assert.deepEqual({ code, approvals }, { code: EXIT.done, approvals: plans.length });
    });
  }

  it("approve into a full disk signs every plan, and says that not all was told", async function () {
    if (process.platform !== "linux") this.skip();
    const { code, approvals } = await piped(answers(plans), "approve shop --yes >/dev/full", "true");
    assert.deepEqual({ code, approvals }, { code: EXIT.error, approvals: plans.length });
  });

  it("approve 2>&1 | true ends with its own code, also where it cannot tell which signature was refused", async () => {
    const { code, approvals } = await piped(answers(plans, "catalog"), "approve shop --yes 2>&1", "true");
    assert.deepEqual({ code, approvals }, { code: EXIT.forbidden, approvals: plans.length });
  });

  it("logs -f | head ends when there is enough", async () => {
    const { code } = await piped(answers([working]), "logs shop-monitor-5 -f", "head -2");
    assert.equal(code, EXIT.done);
  });
});
