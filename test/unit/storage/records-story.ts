import assert from "node:assert/strict";
import type { Operation } from "../../../operator/api/run.ts";
import { type Intent, permitted } from "../../../operator/storage/applying.ts";
import { changeRecord } from "../../../operator/storage/change.ts";
import { type Claimant, claim } from "../../../operator/storage/claims.ts";
import { concluded } from "../../../operator/storage/conclusion.ts";
import { held, mayBeHeld } from "../../../operator/storage/holding.ts";
import { ensureRecord } from "../../../operator/storage/ownership.ts";
import type { ComponentRecord } from "../../../operator/storage/record.ts";
import { endRun } from "../../../operator/storage/run-end.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { AT, aPod, ENVIRONMENT_UID, fencedRun, NETWORK } from "./claimants.ts";

const archive = { id: "a", kind: "archive", digest: "sha256:a", size: 1, chunks: 1 } as const;
const PLAN = "sha256:plan";
const intentOf = (pod: Claimant, what: string, request?: string): Intent => ({
  desiredDigest: `sha256:${what}`,
  run: pod.run,
  runUid: pod.runUid,
  number: pod.number,
  engine: { name: "opentofu", version: "1.12", image: "runner" },
  inputs: { path: "." } as never,
  ...(request === undefined ? {} : { request }),
});

interface Wish {
  readonly operation?: Operation;
  readonly what?: string;
  readonly request?: string;
  readonly phase?: "Plan" | "Apply";
  readonly ofItself?: boolean;
}

/** A component's record, and what Runs do to it, one after the other. */
export async function aRecordsStory() {
  const store = memoryStore();
  await ensureRecord(store, NETWORK, ENVIRONMENT_UID);
  const record = async (): Promise<ComponentRecord> => (await store.record(NETWORK))?.value ?? assert.fail();
  const change = (edit: (old: ComponentRecord) => ComponentRecord) =>
    changeRecord(store, NETWORK, (old) => ({ next: edit(old), answer: undefined }));
  return {
    store,
    record,
    change,
    /** Its pod asks whether it may apply. */
    async asks(
      number: number,
      { operation = "Apply", what = "v1", request, phase = "Plan", ofItself = false }: Wish = {},
    ) {
      const pod = aPod(number);
      await changeRecord(store, NETWORK, (old) => claim(old, pod, AT));
      await change((old) => ({ ...old, claim: { ...(old.claim ?? assert.fail()), archive, phase } }));
      const intent = intentOf(pod, what, request);
      const wish = { operation, planDigest: PLAN, intent, correction: false, shown: phase === "Apply", ofItself };
      return (await changeRecord(store, NETWORK, (old) => permitted(old, { ...pod, phase }, wish, AT))).answer;
    },
    /** Its plan waits, and its pod has gone. */
    async isHeld(number: number): Promise<void> {
      const pod = aPod(number);
      const counts = { create: 1, update: 0, replace: 0, delete: 0 };
      const plan = {
        digest: PLAN,
        counts,
        empty: false,
        resources: [],
        truncated: false,
        drifted: 0,
        inputsDigest: "i",
      };
      await changeRecord(store, NETWORK, (old) => claim(old, pod, AT));
      await change((old) => ({ ...old, claim: { ...(old.claim ?? assert.fail()), archive } }));
      await changeRecord(store, NETWORK, (old) => mayBeHeld(old, pod, plan));
      await changeRecord(store, NETWORK, (old) => held(old, pod, { ...archive, id: "plan", kind: "plan" }, AT));
    },
    /** Its second pod asks whether it may apply the plan that waited and was approved. */
    async asksAgain(number: number) {
      const pod = aPod(number, { phase: "Apply", podUid: `pod-uid-${number}-a` });
      await changeRecord(store, NETWORK, (old) => claim(old, pod, AT));
      const intent = intentOf(pod, "v1");
      const wish = { operation: "Apply", planDigest: PLAN, intent, correction: false, shown: true } as const;
      return (await changeRecord(store, NETWORK, (old) => permitted(old, pod, wish, AT))).answer;
    },
    /** Its pod is proven dead. */
    dies: (number: number, operation: Operation = "Apply", request?: string) =>
      endRun(
        store,
        NETWORK,
        {
          ...fencedRun(aPod(number)),
          operation,
          environmentUid: ENVIRONMENT_UID,
          ...(request === undefined ? {} : { request }),
        },
        { why: "all of its containers have ended", proven: true },
        AT,
      ),
    isRejected: (number: number) =>
      endRun(
        store,
        NETWORK,
        { ...fencedRun(aPod(number)), operation: "Apply", environmentUid: ENVIRONMENT_UID },
        { why: "ann rejected the plan", proven: false, rejected: true },
        AT,
      ),
    async ends(number: number, result: "Applied" | "Unchanged" | "Failed" | "Interrupted", what = "v1") {
      const { phase = "Plan" } = (await record()).claim ?? {};
      const pod = { ...aPod(number), phase };
      const outcome = { result, reason: result, message: "" };
      const conclusion = { operation: "Apply", outcome, intent: intentOf(pod, what), outputs: [] } as const;
      await changeRecord(store, NETWORK, (old) => concluded(old, pod, conclusion, AT));
    },
  };
}
