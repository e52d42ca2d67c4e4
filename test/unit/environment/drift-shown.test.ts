import assert from "node:assert/strict";
import type { Drift } from "../../../operator/api/drift.ts";
import type { Environment } from "../../../operator/api/environment.ts";
import type { EnvironmentStatus } from "../../../operator/api/environment-status.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { driftCondition, tellsOfEverythingIgnored } from "../../../operator/environment/drift-seen.ts";
import { announce } from "../../../operator/environment/events.ts";
import { aComponent } from "../../fakes/objects.ts";
import { conditionOf, lineOf, type Story, statusOf, watching, whenDue } from "./drift-story.ts";

describe("Drift", () => {
  const drifted = (): Story => {
    const story = watching();
    whenDue(story);
    story.endCheck("network", "Drifted");
    story.endCheck("app", "Unchanged");
    return story;
  };

  it("is shown at its component, in a condition that names it, and leaves the Environment ready", () => {
    const story = drifted();
    const line = lineOf(story, "network");
    assert.equal(line?.state, "Drifted");
    assert.match(line.message ?? "", /thing\.a .*1 to update/);
    assert.deepEqual(line.drift?.counts, { create: 0, update: 1, replace: 0, delete: 0 });
    assert.equal(lineOf(story, "app")?.state, "Ready");
    const condition = conditionOf(story, "Drifted");
    assert.deepEqual([condition?.status, condition?.reason], ["True", "DriftFound"]);
    assert.match(condition?.message ?? "", /^network: thing\.a/);
    assert.equal(conditionOf(story, "Ready")?.status, "True");
    assert.equal(statusOf(story).summary, "2/2 ready");
  });

  it("does not hide that the source cannot be looked up: nothing else says so", () => {
    const git = { url: "https://git.example.com/x.git", interval: "5m", ref: { branch: "main" } };
    const story = watching({ interval: "1h" }, ["network"]);
    story.edit(({ spec, ...environment }) => ({ ...environment, spec: { ...spec, source: { git } } }));
    story.sourceAt({ state: "known", revision: "1".repeat(40) });
    story.settle();
    whenDue(story);
    story.endCheck("network", "Drifted");
    const away = (message: string) => story.sourceAt({ state: "failed", reason: "GitHostUnknown", message });
    away("git.example.com has no address");
    const line = lineOf(story, "network");
    assert.equal(line?.state, "Drifted");
    assert.match(line.message ?? "", /^what was applied stays applied; git\.example\.com has no address; thing\.a/);
    away(`${"a long story of what git has said ".repeat(20)}`);
    assert.match(lineOf(story, "network")?.message ?? "", /^what was applied stays applied; .*…; thing\.a /);
  });

  it("does not stop a change, and a change that waits does not hide it", () => {
    const story = drifted();
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, variables: [{ name: "a", value: 1 }] },
    }));
    story.round();
    assert.deepEqual(story.started.slice(2), ["Apply network #3"]);
    assert.equal(lineOf(story, "network")?.state, "Pending");
    assert.ok(lineOf(story, "network")?.drift !== undefined);
  });

  it("is over after an apply, which the next look would only confirm", () => {
    const story = drifted();
    story.annotate({ [ANNOTATIONS.requestedAt]: "now" });
    story.settle();
    assert.deepEqual([lineOf(story, "network")?.state, lineOf(story, "network")?.drift], ["Ready", undefined]);
    assert.equal(conditionOf(story, "Drifted")?.status, "False");
  });

  it("is not known while looking fails; what was found before stays in sight", () => {
    const story = drifted();
    whenDue(story);
    story.endCheck("network", "Failed", { reason: "PlanFailed", message: "no credentials" });
    const condition = conditionOf(story, "Drifted");
    assert.deepEqual([condition?.status, condition?.reason], ["Unknown", "CheckFailed"]);
    assert.match(condition?.message ?? "", /network: PlanFailed: no credentials; before that: thing\.a differed/);
    assert.equal(lineOf(story, "network")?.state, "Ready");
    assert.ok(lineOf(story, "network")?.drift !== undefined);
  });

  it("cannot be found where a rule ignores everything, which is said", () => {
    const story = watching({ interval: "1h", ignore: [{ address: "*" }] });
    const condition = conditionOf(story, "Drifted");
    assert.deepEqual([condition?.status, condition?.reason], ["Unknown", "EverythingIgnored"]);
    whenDue(story);
    assert.equal(story.started.length, 2, "it is looked at all the same");
  });

  it("is known only of what is missing where a rule ignores every edit, which is said", () => {
    const drift: Drift = { interval: "1h", ignore: [{ attributes: ["*"] }] };
    const condition = conditionOf(watching(drift), "Drifted");
    assert.deepEqual([condition?.status, condition?.reason], ["Unknown", "EverythingIgnored"]);
    assert.match(condition?.message ?? "", /^network: the rules of drift\.ignore match every change .* app: /);
    const story = watching(drift);
    whenDue(story);
    story.endCheck("network", "Drifted");
    const found = conditionOf(story, "Drifted");
    assert.deepEqual([found?.status, found?.reason], ["True", "DriftFound"]);
    assert.match(found?.message ?? "", /^network: thing\.a .*; app: the rules of drift\.ignore match every change/);
    assert.ok(tellsOfEverythingIgnored(found));
  });

  it("is told where it was found all the same, as an output whose address a rule for all resources does not match", () => {
    const story = watching({ interval: "1h", ignore: [{ address: "*_*" }] }, ["network"]);
    assert.equal(conditionOf(story, "Drifted")?.reason, "EverythingIgnored");
    whenDue(story);
    story.endCheck("network", "Drifted");
    assert.equal(conditionOf(story, "Drifted")?.reason, "DriftFound");
  });

  it("that cannot be found is told once, also beside what has drifted elsewhere", () => {
    const blind = aComponent("app", { needs: ["network"], drift: { interval: "1h", ignore: [{ address: "*.*" }] } });
    const story = drifted();
    const before = statusOf(story);
    story.edit(({ spec, ...environment }) => ({
      ...environment,
      spec: { ...spec, components: [...spec.components.slice(0, 1), blind] },
    }));
    const after = statusOf(story);
    const condition = conditionOf(story, "Drifted");
    assert.deepEqual([condition?.status, condition?.reason], ["True", "DriftFound"]);
    assert.match(condition?.message ?? "", /^network: thing\.a .*; app: the rules of drift\.ignore match everything/);
    const told = (was: EnvironmentStatus) => {
      const reasons: string[] = [];
      announce({ ...story.environment(), status: was }, after, { event: (...[, , reason]) => reasons.push(reason) });
      return reasons;
    };
    assert.deepEqual(told(before), ["EverythingIgnored"]);
    assert.deepEqual(told(after), []);
  });

  it("is said to be impossible to find however much has drifted elsewhere", () => {
    const line = (name: string, reason: "DriftFound" | "EverythingIgnored", message: string) =>
      ({ name, status: reason === "DriftFound" ? "True" : "Unknown", reason, message }) as const;
    const many = Array.from({ length: 30 }, (_, at) => line(`drifted-${at}`, "DriftFound", "x".repeat(100)));
    const blind = driftCondition([line("app", "EverythingIgnored", "a rule of drift.ignore matches everything")]);
    const both = driftCondition([...many, line("app", "EverythingIgnored", blind?.message ?? "")]);
    assert.equal(Buffer.byteLength(both?.message ?? ""), 1024);
    assert.ok(both?.message.endsWith(blind?.message ?? "nothing"));
  });

  it("is no condition where nobody looks, and one that was shown says when nobody looks any more", () => {
    assert.equal(conditionOf(watching({}), "Drifted"), undefined);
    const story = watching();
    const status = statusOf(story);
    story.edit(({ spec: { drift: _over, ...spec }, ...environment }) => ({ ...environment, spec, status }));
    const condition = conditionOf(story, "Drifted");
    assert.deepEqual([condition?.status, condition?.reason], ["Unknown", "NotChecked"]);
  });

  it("is told once when it appears, and once when it is gone", () => {
    const story = watching();
    const told: string[] = [];
    let last: EnvironmentStatus | undefined = statusOf(story);
    const tell = (): void => {
      const status = statusOf(story);
      const environment = { ...story.environment(), ...(last === undefined ? {} : { status: last }) } as Environment;
      announce(environment, status, {
        event: (_about, type, reason, message) => told.push(`${type} ${reason} ${message}`),
      });
      last = status;
    };
    for (const result of ["Unchanged", "Drifted", "Drifted", "Unchanged", "Unchanged"] as const) {
      while (story.openChecks().length === 0) whenDue(story);
      tell();
      story.endCheck("network", result);
      if (story.openChecks().length > 0) story.endCheck("app", "Unchanged");
      tell();
    }
    assert.deepEqual(told, [
      "Warning DriftFound network: thing.a (to correct it: 1 to update)",
      "Normal NoDrift network: the drift is gone",
    ]);
  });
});
