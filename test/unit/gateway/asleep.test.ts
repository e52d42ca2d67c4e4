import assert from "node:assert/strict";
import { judgePlan } from "../../../operator/approval/judge.ts";
import { pushState } from "../../../operator/storage/by-hand.ts";
import { changeRecord } from "../../../operator/storage/change.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import { aState } from "../storage/claimants.ts";
import { gatewayWorld, NAMESPACE, specOf } from "./gateway-world.ts";

const KEY = { namespace: NAMESPACE, environment: "shop", component: "network" };
const ARCHIVE = { id: "archive", kind: "archive", digest: "sha256:00", size: 1, chunks: 1 } as const;

describe("A destroy whose Run was made before a person put another state in", () => {
  for (const { type, verdict } of [
    { type: "Asleep", verdict: "Refuse" },
    { type: "Deleted", verdict: "Apply" },
  ] as const) {
    it(`is answered ${verdict} where its cause is ${type}`, async () => {
      const world = await gatewayWorld({ judge: (plan, run) => judgePlan(plan, run.spec.rules, run.spec.operation) });
      try {
        await ensureRecord(world.store, KEY, "env-uid");
        const { inputs, engine, desiredDigest } = specOf("network", 1);
        const ids = { run: "shop-network-1", runUid: "uid-shop-network-1", number: 1, at: new Date().toISOString() };
        const applied = { ...ids, desiredDigest, engine, inputs, archive: ARCHIVE, outputs: [] };
        await changeRecord(world.store, KEY, (record) => ({
          next: { ...record, mayHoldObjects: true, applied },
          answer: undefined,
        }));
        const run = world.aRun("network", 2, { operation: "Destroy", cause: { type } });
        const jane = { by: "jane", at: new Date(), force: true, newestRun: 2, begun: true };
        await pushState(world.store, KEY, aState({ serial: 9, resources: ["there"] }), jane);
        const { json } = await world.claim(world.aPod(run), run);
        const answer = await world.call(world.gateway, "POST", "/v1/plan", String(json.session), {
          digest: `sha256:${"a".repeat(64)}`,
          counts: { create: 0, update: 0, replace: 0, delete: 1 },
          empty: false,
          resources: [],
          truncated: false,
          drifted: 0,
          inputsDigest: "i",
        });
        assert.equal(answer.json.verdict, verdict, JSON.stringify(answer.json));
      } finally {
        await world.close();
      }
    });
  }
});
