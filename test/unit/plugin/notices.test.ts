import assert from "node:assert/strict";
import type { Component } from "../../../operator/api/component.ts";
import type { Condition } from "../../../operator/api/conditions.ts";
import type { Environment, EnvironmentSpec } from "../../../operator/api/environment.ts";
import { pictureOf } from "../../../plugin/reading/picture.ts";
import { statusView } from "../../../plugin/view/status.ts";
import { plain } from "../../../plugin/view/text.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";
import { aStory } from "../environment/story.ts";
import { found } from "./doctor-found.ts";
import { at, type Lines, shop } from "./shop.ts";

type Told = Pick<Condition, "type" | "status" | "reason" | "message">;

/** The shop, whose status has these conditions besides Ready. */
function shopThat(conditions: readonly Told[], lines: Lines = {}): Environment {
  const environment = shop(lines);
  const { status } = environment;
  const more = conditions.map((one) => ({ ...one, lastTransitionTime: at(5) }));
  return {
    ...environment,
    ...(status === undefined ? {} : { status: { ...status, conditions: [...(status.conditions ?? []), ...more] } }),
  };
}

const screen = (environment: Environment) => statusView(pictureOf(environment, []), new Date(T0), plain).join("\n");

const failed = (reason: string, message: string, run?: string) =>
  ({ state: "Failed", reason, message, retryAt: at(30), ...(run === undefined ? {} : { run, retries: 1 }) }) as const;

describe("the doctor, beside what waits for a person", () => {
  it("tells of each component that fails and is tried again, with its log and what is to be mended", () => {
    const lines: Lines = {
      network: failed("InputMissing", "the Secret db does not exist", "shop-network-3"),
      database: failed("ConfigurationInvalid", "Invalid expression (main.tf:2)", "shop-database-2"),
    };
    assert.deepEqual(found(shop(lines)), [
      "bad | shop/network: the Secret db does not exist. A Secret, ConfigMap or key that the component needs does not exist. It is looked for again by itself. | kubectl terrarium logs shop-network-3 -n team",
      "bad | shop/database: Invalid expression (main.tf:2). The engine refuses the module; file and line are in the message. It is tried again by itself. | kubectl terrarium logs shop-database-2 -n team",
    ]);
    assert.deepEqual(found(shop(lines), false), [
      "bad | shop: network, database fail. | kubectl terrarium doctor shop -n team",
    ]);
  });

  it("hides no failure behind a plan that waits for approval", () => {
    const lines: Lines = {
      network: { state: "AwaitingApproval", reason: "AwaitingApproval", message: "0 of 1", run: "shop-network-4" },
      database: failed("InputMissing", "the Secret db does not exist", "shop-database-2"),
    };
    const [waits, fails, ...more] = found(shop(lines));
    assert.match(waits ?? "", /^bad \| shop\/network: its plan waits for an approval/);
    assert.match(fails ?? "", /^bad \| shop\/database: the Secret db does not exist/);
    assert.deepEqual(more, []);
    assert.deepEqual(found(shop(lines), false), [
      "bad | shop: network waits for a person; database fails. | kubectl terrarium doctor shop -n team",
    ]);
  });

  it("does not fail a script for what mostly passes by itself", () => {
    const lines: Lines = { network: failed("RegistryUnreachable", "no answer", "shop-network-3") };
    assert.ok(
      found(shop(lines)).every((one) => one.startsWith("warn")),
      found(shop(lines)).join("\n"),
    );
  });

  it("tells why nothing goes on where no component of the status says so", () => {
    const message = "old: no key fits its record";
    const stalled = { type: "Stalled", status: "True", reason: "KeyMissing", message } as const;
    const waiting = { state: "AwaitingApproval", reason: "AwaitingApproval", message: "0 of 1" } as const;
    const told = found(shopThat([stalled], { network: waiting }));
    assert.match(told[1] ?? "", /^bad \| shop: old: no key fits its record\. No encryption key fits/);
    assert.equal(told.length, 2);
  });

  it("says once what a component says of itself and the condition repeats", () => {
    const app = { state: "Stalled", reason: "LockOrphaned", message: "Run 3 holds the lock" } as const;
    const stalled = { type: "Stalled", status: "True", reason: "LockOrphaned", message: "app: …" } as const;
    assert.equal(found(shopThat([stalled], { app })).length, 1);
  });

  const unseen: readonly (readonly [Told["status"], reason: string, message: string])[] = [
    ["Unknown", "CheckFailed", "app: PlanFailed: no credentials"],
    ["Unknown", "EverythingIgnored", "app: the rules match everything"],
  ];
  for (const [status, reason, message] of unseen)
    it(`warns although all is Ready: ${reason}`, () => {
      const environment = shopThat([{ type: "Drifted", status, reason, message }]);
      const [whole, warning = "", ...others] = found(environment);
      assert.equal(whole, "good | shop is Ready (5/5 ready).");
      assert.ok(warning.startsWith(`warn | shop: ${message}`), warning);
      assert.deepEqual(others, []);
      assert.ok(screen(environment).includes(`${reason}: ${message}`));
    });

  it("has nothing to say about drift that nobody looks for any more, or that is not there", () => {
    for (const [status, reason] of [
      ["Unknown", "NotChecked"],
      ["False", "NoDrift"],
    ] as const)
      assert.deepEqual(found(shopThat([{ type: "Drifted", status, reason, message: "so" }])), [
        "good | shop is Ready (5/5 ready).",
      ]);
  });

  describe("where something has drifted", () => {
    type Settings = Partial<EnvironmentSpec> & { readonly components?: readonly Component[] };

    /** A look for drift has found something in each of the components. */
    function drifted({ components = [aComponent("a")], ...spec }: Settings = {}) {
      const drift = { interval: "10m", action: "Report" } as const;
      const story = aStory(anEnvironment(components, { spec: { drift, ...spec } }));
      story.settle();
      story.pass(11 * 60_000);
      story.round();
      for (const check of story.openChecks()) story.endCheck(check.spec.component, "Drifted");
      story.pass(60_000);
      return story;
    }
    const looks = (action: "Report" | "Propose" | "Correct") => ({ drift: { interval: "10m", action } }) as const;
    function told(story: ReturnType<typeof aStory>): readonly string[] {
      story.round();
      story.round();
      story.report();
      return found(story.environment());
    }

    it("names it, and what brings it back, where nobody does", () => {
      const [whole, warning = "", ...others] = told(drifted());
      assert.equal(whole, "good | shop is Ready (1/1 ready).");
      assert.match(warning, /^warn \| shop\/a: .* was changed outside .* \| kubectl terrarium run shop -n team$/);
      assert.deepEqual(others, []);
    });

    it("says of each component what becomes of its own drift", () => {
      const components = [
        { ...aComponent("a"), ...looks("Correct") },
        { ...aComponent("b"), ...looks("Report") },
      ];
      const warnings = told(drifted({ components })).filter((one) => one.includes("changed outside"));
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", /^warn \| shop\/b: /);
    });

    it("tells once of a correction that waits for a person, and of one that was given up", () => {
      const proposed = drifted(looks("Propose"));
      told(proposed);
      proposed.hold("a");
      assert.deepEqual(
        told(proposed).map((one) => one.split(" | ").slice(0, 2).join(" | ")),
        ["bad | shop/a: its plan waits for an approval"],
      );
      const failed = drifted({ ...looks("Correct"), retry: { limit: 0 } } as Settings);
      told(failed);
      failed.end("a", "Failed", { reason: "ApplyFailed", message: "the quota is used up" });
      failed.pass(3_600_000);
      assert.equal(told(failed).filter((one) => one.includes("the quota is used up")).length, 1);
    });

    it("says why a correction failed beside the drift of another, whichever of the two comes first", () => {
      const components = [
        { ...aComponent("a"), ...looks("Report") },
        { ...aComponent("b"), ...looks("Correct") },
      ];
      for (const ordered of [components, components.toReversed()]) {
        const story = drifted({ components: ordered });
        told(story);
        story.end("b", "Failed", { reason: "PlanFailed", message: "the quota is used up" });
        const lines = told(story);
        assert.equal(lines.filter((one) => /shop\/b: .*the quota is used up/.test(one)).length, 1, lines.join("\n"));
        assert.equal(lines.filter((one) => /shop\/a: .* was changed outside/.test(one)).length, 1, lines.join("\n"));
      }
    });

    it("asks for no Run while all is being destroyed: that would void the plan that waits", () => {
      const story = drifted();
      story.delete();
      assert.ok(
        told(story).every((one) => !one.includes("terrarium run")),
        told(story).join("\n"),
      );
    });
  });

  it("says that it is tried again, whatever letters the message has", () => {
    const app = failed("PlanFailed", "value does not match against the schema", "shop-app-2");
    assert.match(found(shop({ app })).join(), /schema\..* It is tried again by itself\./);
  });

  it("warns of the end of a lifetime, with what puts it off", () => {
    const message = "everything is destroyed at 2026-01-02T00:00:00Z";
    const expiring = { type: "Expiring", status: "True", reason: "Expiring", message } as const;
    assert.deepEqual(found(shopThat([expiring])), [
      "good | shop is Ready (5/5 ready).",
      `warn | shop: ${message} | kubectl terrarium extend shop --for 24h -n team`,
    ]);
  });

  it("warns of a source that cannot be looked up any more: what is applied stays Ready, and nothing newer comes", () => {
    const message = "what was applied stays applied; the git server refuses the credentials";
    const environment = shop({ app: { state: "Ready", reason: "GitUnauthorized", message } });
    const [whole, warning] = found(environment);
    assert.equal(whole, "good | shop is Ready (5/5 ready).");
    assert.ok(warning?.startsWith(`warn | shop/app: ${message}`), warning);
    assert.match(screen(environment), /app +Ready .*what was applied stays applied/);
  });

  it("does not call an environment well whose outputs nobody can write", () => {
    const environment = shop();
    const [ready, ...others] = environment.status?.conditions ?? [];
    assert.ok(ready);
    const message = "writeOutputsTo: the ConfigMap shop-outputs exists";
    const unwritten = { ...ready, status: "False", reason: "OutputsNotWritten", message } as const;
    const status = { ...environment.status, conditions: [unwritten, ...others] } as Environment["status"];
    const told = found({ ...environment, ...(status === undefined ? {} : { status }) });
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /^bad \| shop: writeOutputsTo: the ConfigMap shop-outputs exists/);
  });
});
