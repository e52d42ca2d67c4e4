/** Pods of Runs that apply, and the gateway that they speak to. */
import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { gatewayWorld } from "./gateway-world.ts";

export const aPlan = (digest: string, empty = false) => ({
  digest,
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  empty,
  resources: [{ address: "terraform_data.vpc", action: "create" }],
  truncated: false,
  drifted: 0,
  inputsDigest: "i",
});

export const outcomeOf = (result: string, facts: object = {}) => ({
  outcome: { result, reason: result, message: "as reported", ...facts },
});

export const VPC = {
  serial: 1,
  resources: ["vpc"],
  outputs: { id: { value: "vpc-1" }, key: { value: "hush", sensitive: true } },
};

/** Two replicas, and what a pod asks of them one after the other. */
export async function applyingWorld() {
  const world = await gatewayWorld();

  /** A pod that has claimed its Run, and what it can ask. */
  async function aWorker(run: Run) {
    const pod = world.aPod(run);
    const claimed = await world.claim(pod, run);
    assert.equal(claimed.status, 200, claimed.bytes.toString());
    const session = String(claimed.json.session);
    // Every other request goes to the other replica.
    let turn = 0;
    const ask = (method: string, path: string, body?: Buffer | object) => {
      turn += 1;
      return world.call(turn % 2 === 0 ? world.gateway : world.replica, method, path, session, body);
    };
    return { pod, order: claimed.json, session, ask };
  }

  async function applyAll(run: Run, state: Buffer) {
    const worker = await aWorker(run);
    const steps = [
      await worker.ask("PUT", "/v1/archive", Buffer.from(`archive of ${run.metadata.name}`)),
      await worker.ask("POST", "/v1/plan", aPlan("sha256:plan")),
      await worker.ask("PUT", "/v1/state/lock", { ID: "lock" }),
      await worker.ask("POST", "/v1/state?ID=lock", state),
      await worker.ask("DELETE", "/v1/state/lock?ID=lock"),
      await worker.ask("POST", "/v1/result", outcomeOf("Applied")),
    ];
    assert.deepEqual(
      steps.map(({ status }) => status),
      [204, 200, 200, 204, 204, 204],
    );
    return worker;
  }

  return { ...world, aWorker, applyAll };
}

export type ApplyingWorld = Awaited<ReturnType<typeof applyingWorld>>;
