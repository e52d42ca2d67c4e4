import assert from "node:assert/strict";
import type { Condition } from "../../../operator/api/conditions.ts";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { diagnosis } from "../../../plugin/reading/diagnosis.ts";
import { pictureOf } from "../../../plugin/reading/picture.ts";
import { statusView } from "../../../plugin/view/status.ts";
import { plain } from "../../../plugin/view/text.ts";
import { T0 } from "../../fakes/objects.ts";
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

function found(environment: Environment, focus = true) {
  const facts = { context: "c", server: "s", version: "v1.35.4", kinds: ["environments"], user: "jane", rights: [] };
  const picture = pictureOf(environment, []);
  return diagnosis({ ...facts, namespace: "team", operator: "hidden", pictures: [picture], focus, nowMs: T0 })
    .filter(({ about }) => about === "environment")
    .map(({ level, says, next }) => [level, says, ...next].join(" | "));
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

  const drift: readonly (readonly [Told["status"], reason: string, message: string, more: string])[] = [
    ["Unknown", "CheckFailed", "app: PlanFailed: no credentials", ""],
    ["True", "CorrectionFailed", "app: not brought back (ApplyFailed: quota): aws_vpc.main", ""],
    ["Unknown", "EverythingIgnored", "app: the rules match everything", ""],
    ["True", "DriftFound", "app: aws_vpc.main differs", " | kubectl terrarium run shop -n team"],
    ["True", "DriftFound", "app: Run 4 brings it back: aws_vpc.main differs", ""],
  ];
  for (const [status, reason, message, more] of drift)
    it(`warns although all is Ready: ${reason}, "${message}"`, () => {
      const environment = shopThat([{ type: "Drifted", status, reason, message }]);
      const [whole, warning = "", ...others] = found(environment);
      assert.equal(whole, "good | shop is Ready (5/5 ready).");
      assert.ok(warning.startsWith(`warn | shop: ${message}`), warning);
      assert.ok(more === "" ? !warning.includes("kubectl") : warning.endsWith(more), warning);
      assert.deepEqual(others, []);
      const isInTheTree = reason === "DriftFound";
      assert.equal(screen(environment).includes(`${reason}: ${message}`), !isInTheTree);
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

describe("what the doctor tells to do", () => {
  const commands = (environment: Environment) => found(environment).map((one) => one.split(" | ").slice(2));
  const removed = (name: string) => ({ name, state: "Stalled", reason: "RemovalNeedsConfirmation" }) as const;

  function without(names: readonly string[], annotations: Readonly<Record<string, string>> = {}): Environment {
    const environment = shop(Object.fromEntries(names.map((name) => [name, removed(name)])));
    const components = environment.spec.components.filter(({ name }) => !names.includes(name));
    return {
      ...environment,
      metadata: { ...environment.metadata, annotations },
      spec: { ...environment.spec, components },
    };
  }

  it("confirms all that was removed in one word, since the next word takes the place of the one before", () => {
    const word = "kubectl -n team annotate environment shop terrarium.dev/confirm-destroy=app,monitor --overwrite";
    assert.deepEqual(commands(without(["app", "monitor"])), [[word], [word]]);
  });

  it("keeps what was confirmed before", () => {
    const before = { [ANNOTATIONS.confirmDestroy]: "catalog" };
    assert.match(commands(without(["monitor"], before))[0]?.[0] ?? "", /confirm-destroy=catalog,monitor /);
    const left = { state: "Stalled", reason: "LeftBehind", interrupted: "shop-app-3" } as const;
    const { metadata, ...environment } = shop({ app: left, monitor: { ...left, interrupted: "shop-monitor-2" } });
    const annotations = { [ANNOTATIONS.confirmGone]: "shop-database-9" };
    assert.match(
      commands({ ...environment, metadata: { ...metadata, annotations } })[0]?.at(-1) ?? "",
      /confirm-gone=shop-database-9,shop-app-3,shop-monitor-2 --overwrite$/,
    );
  });

  const cases: readonly (readonly [what: string, line: Lines["app"], commands: readonly string[]])[] = [
    [
      "takes a foreign pod away, which has no log of ours",
      { state: "Planning", reason: "ForeignPod", message: "a pod … has the name shop-app-4-p: delete it" },
      ["kubectl -n team delete pod shop-app-4-p"],
    ],
    ["leaves the operator's rights to who installs it", { state: "Planning", reason: "RightMissing" }, []],
    [
      "proves a death",
      { state: "Applying", reason: "ProofOfDeathMissing" },
      ["kubectl terrarium unlock shop-app-4 -n team"],
    ],
    [
      "moves a state in before its backend is chosen",
      { state: "Failed", reason: "BackendChoiceNeeded", retries: 1 },
      ["kubectl terrarium state push shop app -f FILE -n team"],
    ],
    [
      "confirms a deletion among many",
      { state: "Stalled", reason: "ManyDeletions" },
      ["kubectl -n team annotate environment shop terrarium.dev/confirm-delete=true --overwrite"],
    ],
  ];
  for (const [what, line, expected] of cases)
    it(what, () => {
      assert.deepEqual(commands(shop({ app: { run: "shop-app-4", ...line } }))[0], expected);
    });

  it("resumes what is suspended, also where a plan waits, and where it is approved", () => {
    const approval = { required: 1, given: 0, since: at(3), planDigest: "sha256:p", expiresAt: at(90) };
    const app = { state: "AwaitingApproval", reason: "AwaitingApproval", message: "0 of 1", approval } as const;
    const suspended = (line: NonNullable<Lines["app"]>) => commands(shop({ app: line }, { suspend: true }))[0];
    const resume = "kubectl terrarium resume shop -n team";
    assert.deepEqual(suspended(app)?.at(-1), resume);
    const message = "approved; the apply waits: spec.suspend is true: nothing is begun";
    assert.deepEqual(suspended({ ...app, message, approval: { ...approval, given: 1 } }), [resume]);
  });
});
