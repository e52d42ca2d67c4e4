import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import type { AgentParts, Talk } from "./world-agent.ts";
import type { Cloud } from "./world-cloud.ts";
import { type Change, type EngineState, emptyState, planOf, readStateBytes, short, wishOf } from "./world-module.ts";

/** What the engine believes after it has asked the cloud: what was edited is known as it is, what is gone is not known. */
export function refreshed(cloud: Cloud, state: EngineState): EngineState {
  const real = new Map(cloud.objects().map((object) => [object.id, object]));
  const things = [...state.things].flatMap(([address, { id }]) => {
    const object = real.get(id);
    return object === undefined ? [] : [[address, { id, content: object.content }] as const];
  });
  return { ...state, things: new Map(things) };
}

/** A deletion and a creation at one address are a replacement. What an earlier one has left over is deleted on its own. */
export function reportOf(digest: string, changes: readonly Change[], empty: boolean) {
  const actions = new Map<string, Change["action"] | "replace">();
  for (const change of changes) {
    const isLeftOver = change.action === "delete" && change.isLeftOver;
    const address = isLeftOver ? `${change.address} (deposed ${change.id})` : change.address;
    actions.set(address, actions.has(address) ? "replace" : change.action);
  }
  const count = (action: string) => [...actions.values()].filter((one) => one === action).length;
  return {
    digest,
    counts: { create: count("create"), update: count("update"), replace: count("replace"), delete: count("delete") },
    empty,
    resources: [...actions].map(([address, action]) => ({ address, action })),
    truncated: false,
    drifted: 0,
    inputsDigest: "hmac-sha256:00",
  };
}

/** Variables as the world's agents archive them. */
const archivePrefix = "archive of ";
export const archiveOf = ({ variables }: WorkOrder): Buffer => Buffer.from(archivePrefix + JSON.stringify(variables));

/** A Check, as the real agent and engine make it: no lock, one look at the state, one word at the end. */
export async function look({ pod, cloud, ending }: AgentParts, talk: Talk) {
  const archive = (await talk("GET /v1/archive"))?.toString() ?? "";
  const variables = JSON.parse(archive.slice(archivePrefix.length)) as WorkOrder["variables"];
  const values = variables.map((variable) => [variable.name, variable.kind === "value" ? variable.value : ""]);
  const wish = wishOf(Object.fromEntries(values));
  const bytes = await talk("GET /v1/state");
  if (ending()) return failed("RunnerLost", "the pod was told to end");
  if (wish.mode === "plan-fails") return failed("PlanFailed", "Error: main.tf:1: no");
  const state = bytes === undefined ? emptyState("") : readStateBytes(bytes);
  const changes = planOf(refreshed(cloud, state), wish.resources);
  const digest = `sha256:${short(JSON.stringify([pod.uid, state.serial, changes]))}`;
  const [result, reason] = changes.length === 0 ? ["Unchanged", "NoDrift"] : ["Drifted", "DriftFound"];
  return {
    outcome: {
      result,
      reason,
      message: `differing: ${changes.map(({ address }) => address).join()}`,
      stateSerial: state.serial,
    },
    plan: reportOf(digest, changes, changes.length === 0),
  };
}

const failed = (reason: string, message: string) => ({
  outcome: { result: "Failed", reason, message, retry: "Backoff" },
});
