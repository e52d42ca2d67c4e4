import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import type { Run } from "../../../operator/api/run.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { pictureOf } from "../../../plugin/reading/picture.ts";
import { statusView } from "../../../plugin/view/status.ts";
import { plain } from "../../../plugin/view/text.ts";
import { aComponent, T0 } from "../../fakes/objects.ts";
import { aShopRun, at, shop } from "./shop.ts";
import { world } from "./shop-runs.ts";

const shown = (environment: Environment, runs: readonly Run[] = [], minutes = 20) =>
  statusView(pictureOf(environment, runs), new Date(T0 + minutes * 60_000), plain).join("\n");

describe("the status of an environment", () => {
  it("is a tree of components, in the order in which they are applied", () => {
    assert.equal(
      shown(shop()),
      `
shop in team: Ready
5/5 ready, 20m old

COMPONENT         STATE  APPLIED  WAITS FOR
network           Ready  20m ago
├─ catalog        Ready  20m ago
│  └─ app         Ready  20m ago  (needs database, too)
│     └─ monitor  Ready  20m ago
└─ database       Ready  20m ago`.trim(),
    );
  });

  it("says what a failure holds up, since when, and what to do about it", () => {
    const environment = shop({
      database: {
        state: "Failed",
        reason: "RetriesExhausted",
        message: "quota exceeded (main.tf:3)",
        run: "shop-database-4",
        retries: 6,
      },
      app: { state: "Blocked", reason: "Blocked", message: "waits for database" },
      monitor: { state: "Blocked", reason: "Blocked", message: "waits for app" },
    });
    const run = aShopRun("database", 4, { observedGeneration: 1, phase: "Failed", finishedAt: at(8) });
    assert.equal(
      shown(environment, [run]),
      `
shop in team: not Ready, RetriesExhausted
2/5 ready, 20m old
database: quota exceeded (main.tf:3)

COMPONENT         STATE    APPLIED  SINCE  WAITS FOR
network           Ready    20m ago
├─ catalog        Ready    20m ago
│  └─ app         Blocked  20m ago         database
│     └─ monitor  Blocked  20m ago         app
└─ database       Failed   20m ago  12m    quota exceeded (main.tf:3)

database has waited for 12m: quota exceeded (main.tf:3). The limit of tries is reached. Change the spec or the source, or set terrarium.dev/requestedAt. Behind it wait app and monitor.
  kubectl terrarium logs shop-database-4 -n team
  kubectl terrarium run shop -n team`.trim(),
    );
  });

  it("says how far an engine is, and asks nobody for anything then", () => {
    const environment = shop({ network: { state: "Applying", reason: "Progressing", run: "shop-network-2" } });
    const run = aShopRun("network", 2, {
      observedGeneration: 1,
      phase: "Applying",
      startedAt: at(18),
      progress: { step: "apply", done: 3, total: 10, current: "aws_vpc.main", updatedAt: at(19) },
    });
    const text = shown(environment, [run]);
    assert.match(
      text,
      /network +Applying +20m ago +2m +apply 3\/10 aws_vpc\.main$|network +Applying +20m ago +120s +apply 3\/10 aws_vpc\.main/m,
    );
    assert.ok(!text.includes("has waited"));
  });

  it("asks nobody for an approval that is given already, and says what the plan still waits for", () => {
    const approval = { planDigest: "sha256:a", given: 1, required: 1, since: at(8), expiresAt: at(500) };
    const message = "approved; waits for network (Applying)";
    const line = { state: "AwaitingApproval", reason: "AwaitingApproval", message, approval } as const;
    const text = shown(shop({ catalog: line }));
    assert.match(text, /catalog +AwaitingApproval +20m ago +12m +approved; waits for network \(Applying\)/);
    assert.ok(!text.includes("kubectl terrarium approve"), text);
    const asking = { ...line, approval: { ...approval, given: 0 } };
    assert.match(shown(shop({ catalog: asking })), /kubectl terrarium approve/);
  });

  it("says when the next try comes", () => {
    const environment = shop({
      network: { state: "Failed", reason: "PlanFailed", message: "no answer", retryAt: at(21) },
    });
    assert.match(shown(environment), /network +Failed +20m ago +the next try in 60s: no answer/);
  });

  it("shows a component that was removed and still exists, with the command that lets it go", () => {
    const environment = shop();
    const kept = { ...environment, spec: { ...environment.spec, components: [aComponent("network")] } };
    const status = environment.status;
    assert.ok(status?.components);
    const components = status.components
      .filter(({ name }) => name === "network" || name === "monitor")
      .map((line) =>
        line.name === "monitor"
          ? { ...line, state: "Stalled" as const, reason: "RemovalNeedsConfirmation", message: "no longer declared" }
          : line,
      );
    const text = shown({ ...kept, status: { ...status, components } });
    assert.match(text, /^monitor \(removed\) +Stalled/m);
    assert.match(text, /kubectl -n team annotate environment shop terrarium\.dev\/confirm-destroy=monitor --overwrite/);
  });

  it("of a suspended environment names the command that goes on", () => {
    const environment = shop(
      { network: { state: "Suspended", reason: "Suspended", message: "suspended" } },
      { suspend: true },
    );
    assert.match(shown(environment), /suspended\n/);
    assert.match(shown(environment), /kubectl terrarium resume shop -n team/);
  });

  it("asks nobody to resume what waits for a window or sleeps: time brings it", () => {
    const closed = "no window is open: the next one opens at 2026-01-01T20:00:00Z";
    const environment = shop({
      network: { state: "Suspended", reason: "WindowClosed", message: closed },
      monitor: { state: "Suspended", reason: "Asleep", message: "asleep until 2026-01-02T07:00:00Z" },
    });
    const text = shown(environment);
    assert.match(text, /network +Suspended +20m ago +no window is open: the next one opens at 2026-01-01T20:00:00Z$/m);
    assert.match(text, /monitor +Suspended +20m ago +asleep until 2026-01-02T07:00:00Z$/m);
    assert.ok(!text.includes("resume") && !text.includes("has waited"), text);
  });

  it("of a lock that stays names the command that releases it", () => {
    const lock = { run: "shop-network-1", pod: "p", since: at(1), standing: "Orphaned" } as const;
    const environment = shop({ network: { state: "Stalled", reason: "LockOrphaned", message: "it stays", lock } });
    assert.match(shown(environment), /kubectl terrarium state unlock shop network -n team/);
    assert.deepEqual(pictureOf(environment, []).components[0]?.lock, lock);
  });

  it("shows what drifted, which keeps nobody waiting", () => {
    const counts = { create: 0, update: 2, replace: 0, delete: 0 };
    const drift = { counts, addresses: ["aws_vpc.main", "aws_subnet.a"], since: at(8), run: "shop-network-2" };
    const text = shown(shop({ network: { state: "Drifted", reason: "DriftFound", drift } }));
    assert.match(text, /^COMPONENT +STATE +DRIFT +APPLIED/m);
    assert.match(text, /^network +Drifted +~2 for 12m \(aws_vpc\.main, aws_subnet\.a\) +20m ago$/m);
    assert.ok(!text.includes("has waited"));
  });

  it("warns of the end of a lifetime, although all is Ready", () => {
    const environment = shop();
    const { status } = environment;
    assert.ok(status);
    const expiring = {
      type: "Expiring",
      status: "True",
      reason: "Expiring",
      message: "it ends at 21:00",
      lastTransitionTime: at(1),
    } as const;
    const text = shown({ ...environment, status: { ...status, conditions: [...(status.conditions ?? []), expiring] } });
    assert.match(text, /^shop in team: Ready\n5\/5 ready, 20m old\nit ends at 21:00\n/);
  });

  it("is not Ready while the newest spec was not looked at", () => {
    const environment = shop();
    const newer = { ...environment, metadata: { ...environment.metadata, generation: 2 } };
    assert.equal(pictureOf(newer, []).ready, false);
    assert.match(shown(newer), /the operator has not looked at the newest spec yet/);
  });

  it("shows every component of an environment that nobody has looked at", () => {
    const { status: _, ...unseen } = shop();
    assert.match(shown(unseen), /network +Pending/);
    assert.match(shown(unseen), /│ {5}└─ monitor +Pending/);
  });

  it("counts what waits the other way round while an environment is deleted", () => {
    const environment = shop({ monitor: { state: "Failed", reason: "DestroyFailed", message: "bucket is not empty" } });
    const going = { ...environment, metadata: { ...environment.metadata, deletionTimestamp: at(19) } };
    const monitor = pictureOf(going, []).components.find(({ name }) => name === "monitor");
    assert.deepEqual(monitor?.waiting?.behind.toSorted(), ["app", "catalog", "database", "network"]);
  });

  it("survives components that need each other in a circle", () => {
    const environment = shop();
    const components = [aComponent("network", { needs: ["catalog"] }), aComponent("catalog", { needs: ["network"] })];
    const text = shown({ ...environment, spec: { ...environment.spec, components } });
    for (const name of ["network", "catalog"]) assert.equal(text.match(new RegExp(`${name} +Ready`, "g"))?.length, 1);
  });

  it("shows a state that only a newer operator knows", () => {
    const state = "Dreaming" as "Pending";
    assert.match(shown(shop({ app: { state, message: "of sheep" } })), /app +Dreaming +20m ago +.*of sheep/);
  });
});

describe("kubectl terrarium status", () => {
  it("tells scripts whether everything is Ready", async () => {
    assert.equal((await world().call("status", "shop")).code, EXIT.done);
    const failed = shop({ app: { state: "Failed", reason: "PlanFailed" } });
    assert.equal((await world({ environments: [failed] }).call("status", "shop")).code, EXIT.waiting);
  });

  it("prints data that says the same", async () => {
    const environments = [shop({ app: { state: "Stalled", reason: "OutputMissing", message: "no such output" } })];
    const { out } = await world({ environments }).call("status", "shop", "-o", "json");
    const { ready, components } = JSON.parse(out);
    assert.equal(ready, false);
    const app = components.find(({ name }: { name: string }) => name === "app");
    assert.deepEqual(app.waiting, { for: "person", what: "no such output", since: at(5), behind: [] });
    const yaml = await world({ environments }).call("status", "shop", "-o", "yaml");
    assert.match(yaml.out, /^name: shop$/m);
  });

  it("has a line for each environment of the namespace", async () => {
    const other = shop({ app: { state: "Stalled", reason: "OutputMissing", message: "" } });
    const environments = [shop(), { ...other, metadata: { ...other.metadata, name: "shop-2", uid: "u2" } }];
    const { out, code } = await world({ environments }).call("status");
    assert.equal(code, EXIT.waiting);
    assert.equal(
      out,
      `
NAME    STATE          SUMMARY    AGE  WAITS FOR A PERSON
shop    Ready          5/5 ready  20m
shop-2  OutputMissing  4/5 ready  20m  app (person)`.trim(),
    );
  });
});
