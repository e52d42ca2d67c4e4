import assert from "node:assert/strict";
import type { ComponentRecord, StateVersion } from "../../../operator/storage/record.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

export const blob = { id: "b", kind: "state", digest: "sha256:0", size: 1, chunks: 1 } as const;

export const aVersion = (serial: number, lineage = "lineage-1"): StateVersion => ({
  lineage,
  serial,
  resources: 2,
  blob,
  run: "r",
  at: new Date(T0).toISOString(),
});

/** A component that was applied and left serial 7 of lineage-1; then something happens to its record. */
export function anAppliedStory(happens: (record: ComponentRecord) => ComponentRecord | undefined, spec = {}) {
  const story = aStory(anEnvironment([aComponent("a")], { spec }));
  story.round();
  story.end("a", "Applied", { stateSerial: 7, stateLineage: "lineage-1", resources: 2 });
  const record = story.records.get("a");
  assert.ok(record);
  const after = happens({ ...record, state: aVersion(7) });
  if (after === undefined) story.records.delete("a");
  else story.records.set("a", after);
  story.pass(60_000);
  return story;
}

export const LOSSES = {
  "the record is gone": () => undefined,
  "the record is from before the first apply": ({ applied: _applied, state: _state, ...record }: ComponentRecord) => ({
    ...record,
    mayHoldObjects: false,
  }),
  "the state was emptied": ({ state: _state, ...record }: ComponentRecord) => record,
  "an older record was restored": (record: ComponentRecord) => ({ ...record, state: aVersion(6) }),
  "the state is of another lineage": (record: ComponentRecord) => ({ ...record, state: aVersion(9, "lineage-2") }),
} satisfies Record<string, (record: ComponentRecord) => ComponentRecord | undefined>;

/** The status tells of the loss; then the whole is deleted in the foreground, which takes the Runs. */
export function aToldLoss(happens: (record: ComponentRecord) => ComponentRecord | undefined, components = ["a"]) {
  const story = anAppliedStory(happens);
  story.edit(({ spec, ...environment }) => ({
    ...environment,
    spec: { ...spec, components: components.map((name) => aComponent(name)) },
  }));
  story.report();
  story.delete();
  for (const { metadata } of story.runs()) story.forgetRun(metadata.name);
  return story;
}
