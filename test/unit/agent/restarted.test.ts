import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkOrder } from "../../../operator/gateway/protocol.ts";
import type { Bench } from "../../../runner/agent/bench.ts";
import { GatewayClient } from "../../../runner/agent/gateway-client.ts";
import { podLayout } from "../../../runner/agent/layout.ts";
import { attempt } from "../../../runner/agent/story.ts";
import type { HelloMessage } from "../../../runner/engine-channel.ts";
import type { EngineClient } from "../../../runner/engine-client.ts";
import { aWorkOrder, type FakeGateway, startGateway } from "../../fakes/gateway.ts";
import { benchOf } from "./benches.ts";

const order: Partial<WorkOrder> = {
  source: { configMap: { name: "modules" } },
  variables: [{ name: "password", kind: "secret", secret: "shop", key: "password" }],
  credentials: [{ name: "modules", secretRef: { name: "git" }, as: "Git", phases: ["Plan"], keepForDestroy: false }],
};

const MODULE = `variable "password" {\n  type = string\n}\n`;
const BEGUN = { finished: ["prepare", "init", "plan"] };

const aPlan = JSON.stringify({
  format_version: "1.2",
  terraform_version: "1.9.0",
  resource_changes: [
    {
      address: "a.b",
      mode: "managed",
      type: "a",
      name: "b",
      provider_name: "p",
      change: { actions: ["create"], before: null, after: {}, after_unknown: {} },
    },
  ],
  planned_values: {},
  configuration: {},
});

describe("an agent that is started again in a plan", () => {
  let root = "";
  let gateway: FakeGateway;
  let client: GatewayClient;
  let asked: string[] = [];
  let signalled: string[] = [];
  let printed = "";

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "restarted-"));
    for (const folder of ["in", "out/work/.terraform", "spool", "secrets", "credentials"])
      mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, "token"), "a token");
    writeFileSync(
      join(root, "out/work/.terraform/terraform.tfstate"),
      JSON.stringify({ version: 3, backend: { type: "http", config: {}, hash: 1 } }),
    );
    writeFileSync(join(root, "out/plan.tfplan"), "the plan");
    writeFileSync(join(root, "out/plan.json"), aPlan);
    [asked, signalled, printed] = [[], [], ""];
    gateway = await startGateway(aWorkOrder(order));
    gateway.memory.verdict = { verdict: "Hold", reason: "AwaitingApproval", message: "people are asked" };
    const claim = { run: "r", namespace: "n", phase: "Plan" } as const;
    client = new GatewayClient({ url: gateway.url, ca: undefined, tokenFile: join(root, "token"), claim });
    mount("Secret", "shop", { password: "old-password-1234" });
    mount("Secret", "git", { token: "old-token-1234" });
    mount("ConfigMap", "modules", { "main.tf": MODULE });
  });
  afterEach(async () => {
    client.close();
    await gateway.close();
    rmSync(root, { recursive: true });
  });

  function mount(kind: "Secret" | "ConfigMap", name: string, data: Readonly<Record<string, string>>): void {
    const folder = join(root, kind, name);
    mkdirSync(folder, { recursive: true });
    for (const [key, value] of Object.entries(data)) writeFileSync(join(folder, key), value);
  }

  /** Knows of what it has done already, and prints what it was given at first. */
  function aLauncher(hello: Partial<HelloMessage>): EngineClient {
    return {
      hello: { finished: [], ...hello },
      onTerminating: () => {},
      signal: (id: string) => void signalled.push(id),
      prepare: async () => {
        asked.push("prepare");
        return { files: 1, bytes: 1 };
      },
      run: async ({ id }: { readonly id: string }, onLine: Parameters<EngineClient["run"]>[1]) => {
        asked.push(id);
        if (id === "plan")
          await onLine({
            id,
            stream: "stdout",
            dropped: 0,
            truncated: false,
            text: "tried old-password-1234, old-token-1234",
          });
        return { code: 0, signal: null, timedOut: false, durationMs: 1 };
      },
    } as unknown as EngineClient;
  }

  function aBench(engine: Promise<EngineClient>): Bench {
    const path = (name: string) => join(root, name);
    const layout = {
      ...podLayout,
      in: path("in"),
      out: path("out"),
      work: path("out/work"),
      secrets: path("secrets"),
      credentials: path("credentials"),
      spool: path("spool"),
      secretInputs: path("Secret"),
      configMapInputs: path("ConfigMap"),
      caBundle: path("none"),
      token: path("token"),
    };
    const print = (text: string) => {
      printed += text;
    };
    return benchOf({ order: gateway.memory.order, layout, engine, client, gatewayUrl: gateway.url, print });
  }

  /** The agent had given the engine its inputs when it died. */
  async function dies(): Promise<void> {
    await new Promise<void>((resolve) => {
      const prepare = () => {
        resolve();
        return new Promise(() => {});
      };
      void attempt(aBench(Promise.resolve({ ...aLauncher({}), prepare } as unknown as EngineClient)));
    });
  }

  const startedAgain = (hello: Partial<HelloMessage>) => attempt(aBench(Promise.resolve(aLauncher(hello))));

  it("goes on with the plan of the engine where nothing has changed", async () => {
    await dies();
    assert.equal((await startedAgain(BEGUN)).type, "held");
    assert.equal(gateway.memory.plans.length, 1);
  });

  for (const [what, kind, name, data] of [
    ["a Secret", "Secret", "shop", { password: "new-password-5678" }],
    ["the module", "ConfigMap", "modules", { "main.tf": `${MODULE}# another version\n` }],
  ] as const) {
    it(`tells of no plan that the engine makes of what ${what} held before, and has it tried again`, async () => {
      await dies();
      mount(kind, name, data);
      const end = await startedAgain({ running: "plan", finished: ["prepare", "init"] });
      assert.ok(end.type === "told");
      assert.deepEqual(
        [end.outcome.result, end.outcome.reason, end.outcome.retry],
        ["Failed", "RunnerLost", "Backoff"],
      );
      assert.match(end.outcome.message, /inputs changed while the agent was restarted: nothing was applied/);
      assert.deepEqual([asked, signalled], [["plan"], ["plan"]], "it is told to end, and heard of until it has");
      assert.deepEqual([gateway.memory.plans, gateway.memory.archive], [[], undefined]);
    });
  }

  it("begins with what is there now where the engine has got nothing yet", async () => {
    await dies();
    mount("Secret", "shop", { password: "new-password-5678" });
    assert.equal((await startedAgain({})).type, "held");
    assert.deepEqual(asked, ["prepare", "init", "plan", "show"]);
    assert.match(readFileSync(join(root, "secrets/terrarium.tfvars.json"), "utf8"), /new-password-5678/);
  });

  it("hides what the agent before it has hidden: the engine may still print it", async () => {
    await dies();
    mount("Secret", "git", { token: "new-token-5678" });
    assert.equal((await startedAgain(BEGUN)).type, "held");
    assert.match(printed, /tried/);
    assert.doesNotMatch(printed, /old-(password|token)-1234/);
    const kept = JSON.parse(readFileSync(join(root, "spool/secrets.json"), "utf8"));
    assert.ok(["old-token-1234", "new-token-5678"].every((value) => kept.includes(value)));
  });
});
