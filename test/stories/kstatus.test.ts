import assert from "node:assert/strict";
import { type KCondition, type KObject, kstatusOf, violationsBetween, violationsOf } from "../fakes/kstatus.ts";

const T = "2026-01-01T00:00:00.000Z";
const LATER = "2026-01-01T00:01:00.000Z";

const condition = (type: string, status: string, more: Partial<KCondition> = {}): KCondition => ({
  type,
  status,
  reason: "Because",
  message: "so it is",
  observedGeneration: 1,
  lastTransitionTime: T,
  ...more,
});

const object = (conditions: readonly KCondition[], more: Partial<KObject["metadata"]> = {}, seen = 1): KObject => ({
  kind: "Environment",
  metadata: { name: "shop", generation: 1, ...more },
  status: { observedGeneration: seen, conditions },
});

const ready = (status: string) => condition("Ready", status);
const reconciling = (status: string) => condition("Reconciling", status);
const stalled = (status: string) => condition("Stalled", status);

describe("kstatus", () => {
  const rows: readonly (readonly [string, KObject, string])[] = [
    ["an object that nobody has looked at", object([], {}, -1), "InProgress"],
    ["a change that nobody has looked at", object([ready("True")], { generation: 2 }), "InProgress"],
    ["an object without a status field of its own", { kind: "ConfigMap", metadata: { name: "a" } }, "Current"],
    ["something under way", object([ready("False"), reconciling("True")]), "InProgress"],
    ["something that is stuck", object([ready("False"), stalled("True")]), "Failed"],
    ["what is listed first, where both are True", object([stalled("True"), reconciling("True")]), "Failed"],
    ["not Ready, for no abnormal reason", object([ready("False"), reconciling("False")]), "InProgress"],
    ["not known to be Ready", object([ready("Unknown")]), "InProgress"],
    ["Ready", object([ready("True"), reconciling("False"), stalled("False")]), "Current"],
    ["what is being deleted", object([ready("True")], { deletionTimestamp: T }), "Terminating"],
  ];
  for (const [name, given, expected] of rows)
    it(`takes ${name} for ${expected}`, () => assert.equal(kstatusOf(given), expected));
});

describe("The linter of statuses", () => {
  const good = object([ready("True"), reconciling("False"), stalled("False")]);

  it("has nothing to say about a good one", () => {
    assert.deepEqual(violationsOf(good), []);
    assert.deepEqual(violationsBetween(object([ready("False"), reconciling("True")]), good), []);
  });

  it("lets a condition go that is there only while it is true", () => {
    const waiting = object([ready("False"), condition("AwaitingApproval", "True")]);
    assert.deepEqual(violationsBetween(waiting, object([ready("False")])), []);
  });

  const bad: readonly (readonly [string, KObject, RegExp])[] = [
    ["is ahead of its object", object([], {}, 2), /ahead/],
    ["says a thing twice", object([ready("True"), ready("True")]), /twice/],
    ["is Reconciling and Stalled", object([ready("False"), reconciling("True"), stalled("True")]), /at once/],
    ["is Ready and Reconciling", object([ready("True"), reconciling("True")]), /Ready while Reconciling/],
    ["is Ready and Stalled", object([ready("True"), stalled("True")]), /Ready while Stalled/],
    ["is Ready while it goes", object([ready("True")], { deletionTimestamp: T }), /while it is deleted/],
    ["is Unknown and nobody's turn", object([condition("Succeeded", "Unknown")]), /nobody's turn/],
    ["names two causes", object([condition("Ready", "False", { reason: "Other" }), stalled("True")]), /Other.*Because/],
    ["has a sentence for a reason", object([condition("Ready", "True", { reason: "it is so" })]), /CamelCase/],
    ["has no sentence", object([condition("Ready", "True", { message: "" })]), /no sentence/],
    ["speaks of another generation", object([condition("Ready", "True", { observedGeneration: 0 })]), /generation 0/],
    ["leaves open whether it is stuck", object([condition("Stalled", "Unknown")]), /Unknown/],
    ["has conditions and was seen by nobody", object([ready("False")], {}, -1), /no observedGeneration/],
  ];
  for (const [name, given, expected] of bad)
    it(`objects to one that ${name}`, () => assert.match(violationsOf(given).join("\n"), expected));

  const steps: readonly (readonly [string, KObject, KObject, RegExp])[] = [
    ["forgets what it had seen", object([], { generation: 2 }, 2), object([], { generation: 2 }, 1), /goes back/],
    ["drops a condition that people wait for", good, object([]), /Ready=True disappears/],
    ["forgets that it is stuck", object([stalled("True")]), object([]), /Stalled=True disappears/],
    [
      "dates what has not changed",
      object([ready("True")]),
      object([condition("Ready", "True", { lastTransitionTime: LATER })]),
      /stays True, and its time changes/,
    ],
    [
      "goes back in time",
      object([condition("Ready", "False", { lastTransitionTime: LATER })]),
      object([ready("True")]),
      /before it did/,
    ],
  ];
  for (const [name, old, now, expected] of steps)
    it(`objects to a step that ${name}`, () => assert.match(violationsBetween(old, now).join("\n"), expected));
});
