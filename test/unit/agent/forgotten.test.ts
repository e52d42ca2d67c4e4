import assert from "node:assert/strict";
import { rejoinApply } from "../../../runner/agent/apply-step.ts";
import { engineSession } from "../../../runner/agent/story.ts";
import type { EngineClient } from "../../../runner/engine-client.ts";
import { aWorkOrder } from "../../fakes/gateway.ts";
import { agentPlace, benchOf } from "./benches.ts";

/** As OpenTofu 1.12.6 prints it. */
const plannedToGo = (addr: string, action: "remove" | "delete") => ({
  "@level": "info",
  "@message": `${addr}: Plan to ${action}`,
  change: { resource: { addr, module: "", resource: addr, resource_type: "terraform_data" }, action },
  type: "planned_change",
});
const errored = (summary: string, detail = "") => ({
  "@level": "error",
  "@message": `Error: ${summary}`,
  diagnostic: { severity: "error", summary, detail },
  type: "diagnostic",
});
const LEFT_BEHIND = errored(
  "Destroy was successful but left behind forgotten instances",
  "As requested, OpenTofu has not deleted some remote objects that are no longer managed by this configuration.",
);
const destroy = [plannedToGo("terraform_data.keep", "remove"), plannedToGo("terraform_data.gone", "delete")];

const stateWith = (resources: readonly object[]) =>
  JSON.stringify({ version: 4, lineage: "l", serial: 3, terraform_version: "1.12.6", resources });
const LEFT = { mode: "managed", type: "terraform_data", name: "gone", instances: [{}] };

describe("a destroy that leaves what its module keeps", () => {
  let place: Awaited<ReturnType<typeof agentPlace>>;

  beforeEach(async () => {
    place = await agentPlace();
    place.gateway.memory.state = Buffer.from(stateWith([]));
  });
  afterEach(() => place.remove());

  /** The engine prints this and ends with 1. */
  async function outcomeOf(lines: readonly object[], { operation = "Destroy" as "Destroy" | "Apply", code = 1 } = {}) {
    const launcher = {
      onTerminating: () => {},
      async run(_order: unknown, onLine: (line: object) => void) {
        for (const line of lines) onLine({ stream: "stdout", text: JSON.stringify(line), dropped: 0 });
        return { code, signal: null, timedOut: false, durationMs: 1 };
      },
    } as unknown as EngineClient;
    const engine = Promise.resolve(launcher);
    const bench = benchOf({ order: aWorkOrder({ operation }), engine, ...place.speaker });
    const cwd = place.live;
    return (await rejoinApply(bench, engineSession(bench, launcher, cwd), cwd)).outcome;
  }

  it("has gone well, and its message names what is left", async () => {
    const { result, reason, message, resources } = await outcomeOf([...destroy, LEFT_BEHIND]);
    assert.deepEqual([result, reason, resources], ["Destroyed", "Destroyed", 0]);
    assert.match(message, /\(destroy = false\), which is in no state any more: terraform_data\.keep$/);
  });

  it("names ten of very many, and says how many there are", async () => {
    const many = Array.from({ length: 1_200 }, (_, at) => plannedToGo(`terraform_data.keep[${at}]`, "remove"));
    const { result, message } = await outcomeOf([...many, LEFT_BEHIND]);
    assert.equal(result, "Destroyed");
    assert.match(message, /keep\[0\], .*, terraform_data\.keep\[9\] and \d+ more$/);
  });

  for (const [what, lines, facts] of [
    ["something else went wrong, too", [...destroy, errored("deleting failed"), LEFT_BEHIND], {}],
    ["the engine says nothing of it", destroy, {}],
    ["the engine broke off", [...destroy, LEFT_BEHIND], { code: 2 }],
    ["it was no destroy", [...destroy, LEFT_BEHIND], { operation: "Apply" }],
  ] as const) {
    it(`has not gone well where ${what}`, async () => {
      assert.notEqual((await outcomeOf(lines, facts)).result, "Destroyed");
    });
  }

  it("has not gone well where the state still has something", async () => {
    place.gateway.memory.state = Buffer.from(stateWith([LEFT]));
    const { result, reason, message } = await outcomeOf([...destroy, LEFT_BEHIND]);
    assert.deepEqual([result, reason], ["Failed", "DestroyFailed"]);
    assert.match(message, /1 resources are left in the state: terraform_data\.gone/);
  });
});
