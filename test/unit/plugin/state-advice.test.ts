import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { ComponentRecord, StateVersion } from "../../../operator/storage/record.ts";
import { adviceFor } from "../../../plugin/reading/advice.ts";
import { pictureOf } from "../../../plugin/reading/picture.ts";
import { aComponent, anEnvironment, aRecord, T0 } from "../../fakes/objects.ts";
import { aStory } from "../environment/story.ts";
import { shop } from "./shop.ts";

const at = new Date(T0).toISOString();
const blob = { id: "b", kind: "state", digest: "sha256:0", size: 1, chunks: 1 } as const;
const left: StateVersion = { lineage: "lineage-1", serial: 7, resources: 2, blob, run: "r", at };
/** By a person, after all that the Runs did. */
const pushed = { how: "Push", by: "jane", at: new Date(T0 + 30_000).toISOString(), serial: 7 } as const;

type Happening = (record: ComponentRecord) => ComponentRecord | undefined;

/** What the plugin advises after the operator has reported what has become of the record of app, which left serial 7. */
function advised(happens: Happening, { isDeclared = true } = {}) {
  const story = aStory(anEnvironment([aComponent("app")]));
  story.round();
  story.end("app", "Applied", { stateSerial: 7, stateLineage: "lineage-1", resources: 2 });
  const after = happens({ ...(story.records.get("app") ?? aRecord("app")), state: left });
  if (after === undefined) story.records.delete("app");
  else story.records.set("app", after);
  if (!isDeclared) {
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [aComponent("other")] } }));
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "app" });
  }
  story.pass(60_000);
  story.report();
  const found = adviceFor(pictureOf(story.environment(), story.runs())).find(({ component }) => component === "app");
  assert.ok(found);
  return found;
}

const PUSH = "kubectl terrarium state push shop app -f FILE -n team";
const LIST = "kubectl terrarium state list shop -n team";
const RESTORE = "kubectl terrarium state restore shop app --serial N -n team";

describe("what the plugin advises about a state that is lost", () => {
  const withoutVersions: Readonly<Record<string, Happening>> = {
    "the whole record is gone": () => undefined,
    "the record knows nothing of the apply": () => aRecord("app", { mayHoldObjects: false }),
    "the state is gone from the record": ({ state: _, ...record }) => record,
  };
  for (const [what, happens] of Object.entries(withoutVersions))
    it(`is a push, or the backup, where nothing can be restored: ${what}`, () => {
      const { why, commands } = advised(happens);
      assert.deepEqual(commands, [PUSH]);
      assert.match(why, /Nothing of it is kept .*: push a copy that you have, or restore the store's backup/);
    });

  const withVersions: Readonly<Record<string, Happening>> = {
    "it is older": (record) => ({ ...record, state: { ...left, serial: 6 } }),
    "it has another lineage": (record) => ({ ...record, state: { ...left, serial: 9, lineage: "lineage-2" } }),
  };
  for (const [what, happens] of Object.entries(withVersions))
    it(`is what is kept, and then a push, where there are versions: ${what}`, () => {
      const { why, commands } = advised(happens);
      assert.deepEqual(commands, [LIST, RESTORE, PUSH]);
      assert.match(why, /Restore a version that is right; where none is, push a copy that you have\.$/);
    });

  it("is both ways where a Run says it in other words", () => {
    const message = "the stored state cannot be read (its chunk 0 of 1 is missing): nothing was applied or destroyed";
    const environment = shop({ app: { state: "Failed", reason: "StateLost", message, retries: 1 } });
    assert.deepEqual(adviceFor(pictureOf(environment, []))[0]?.commands, [LIST, RESTORE, PUSH]);
  });

  it("is a push, or the backup, where its record could not be read, and is gone by now", () => {
    const message = "restore or push a state (docs/state.md): its record could not be read, and is gone by now";
    const environment = shop({ app: { state: "Stalled", reason: "StateLost", message } });
    assert.deepEqual(adviceFor(pictureOf(environment, []))[0]?.commands, [PUSH]);
  });

  it("begins with the declaration where nothing declares the component: its push would not be taken", () => {
    const { why, commands } = advised(() => undefined, { isDeclared: false });
    assert.deepEqual(commands, [PUSH]);
    assert.match(why, /declare app again and push a copy that you have/);
  });

  it("is no other state where the record cannot be read: there is none to put it in", () => {
    const message = "its record cannot be read: restore Secret terrarium-record-0a from the backup (it was altered)";
    const environment = shop({ app: { state: "Stalled", reason: "RecordUnreadable", message } });
    assert.deepEqual(adviceFor(pictureOf(environment, []))[0]?.commands, []);
  });

  it("is no other state where the state is there, and no archive says how to destroy what it holds", () => {
    const withoutArchive: Happening = ({ applied: _, ...record }) => ({ ...record, written: pushed });
    const { why, commands } = advised(withoutArchive, { isDeclared: false });
    assert.ok(!commands.some((command) => /state (list|restore|push)/.test(command)), commands.join("\n"));
    assert.match(why, /^something may exist, and no archive says how to destroy it: .* set deletionPolicy: Retain$/);
  });
});

describe("what the plugin advises about a state that could not be saved", () => {
  it("is the copy, and the way out where that cannot be read", () => {
    const recovery = { blob: { ...blob, kind: "recovery" }, run: "shop-app-1", at } as const;
    const { why, commands } = advised((record) => ({ ...record, recovery }));
    const restore = "kubectl terrarium state restore shop app";
    assert.deepEqual(commands, [LIST, `${restore} --recovery -n team`, `${restore} --serial N --force -n team`]);
    assert.match(why, /Where that copy cannot be read as a state, --force gives it up: .*, or push a state\.$/);
  });
});
