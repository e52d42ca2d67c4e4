import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { ApiError, ApiUnreachable } from "../../../operator/cluster/errors.ts";
import type { KubeObject } from "../../../operator/cluster/ports.ts";
import { ENVIRONMENTS, RUNS } from "../../../operator/cluster/resources.ts";
import { COMMANDS } from "../../../plugin/commands.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { type PluginWorldOptions, pluginWorld } from "../../fakes/plugin-world.ts";
import { aShopRun, at, shop } from "./shop.ts";

const applied = aShopRun("network", 1, {
  observedGeneration: 1,
  phase: "Succeeded",
  finishedAt: at(2),
  pods: [{ name: "shop-network-1-p", uid: "u1", createdAt: at(1) }],
  plan: {
    digest: "sha256:p",
    counts: { create: 2, update: 0, replace: 0, delete: 0 },
    resources: [],
    verdict: "Apply",
  },
  outcome: { result: "Applied", reason: "Applied", message: "the plan was applied" },
});
const working = aShopRun("database", 2, {
  observedGeneration: 1,
  phase: "Applying",
  pods: [{ name: "shop-database-2-p", uid: "u2", createdAt: at(2) }],
});

const world = (options: PluginWorldOptions = {}) => pluginWorld({ environments: [shop()], minutes: 20, ...options });

const specOf = (object: KubeObject | undefined) => (object as { spec?: Record<string, unknown> } | undefined)?.spec;

describe("kubectl terrarium", () => {
  it("without a command says what there is, and that this was no command", async () => {
    const { code, out } = await world().call();
    assert.equal(code, EXIT.usage);
    for (const { name, hidden } of COMMANDS) assert.equal(out.includes(`  ${name} `), hidden !== true, name);
  });

  for (const { name, options, hidden } of COMMANDS) {
    if (hidden) continue;
    it(`explains ${name} and each of its options without a cluster`, async () => {
      const { call, opened } = world();
      const { code, out } = await call(name, "--help");
      assert.equal(code, EXIT.done);
      assert.match(out, new RegExp(`^Usage: kubectl terrarium ${name}`, "m"));
      for (const option of options) assert.ok(out.includes(`--${option.name}`), option.name);
      assert.deepEqual(opened, []);
    });
  }

  it("refuses what it does not understand, with the usage", async () => {
    const cases: readonly (readonly [args: readonly string[], says: RegExp])[] = [
      [["stat"], /There is no command "stat"/],
      [["status", "shop", "--colour"], /Unknown option '--colour'/],
      [["run"], /run needs ENV\nUsage: kubectl terrarium run ENV/],
      [["run", "shop", "now"], /does not know what to do with "now"/],
      [["status", "shop", "-o", "xml"], /--output is one of json, yaml, not "xml"/],
      [["logs", "shop", "--tail", "few"], /--tail is a number of lines/],
    ];
    for (const [args, says] of cases) {
      const { code, err } = await world().call(...args);
      assert.equal(code, EXIT.usage, args.join(" "));
      assert.match(err, says);
    }
  });

  it("goes where it is told, with options before the command, too", async () => {
    const { call, opened } = world();
    await call("-n", "team", "--context=other", "status", "--kubeconfig", "/etc/kube");
    const { namespace, context, file } = opened[0] ?? {};
    assert.deepEqual({ namespace, context, file }, { namespace: "team", context: "other", file: "/etc/kube" });
  });

  it("takes -n=x and -o=json as kubectl does, and nothing of the kind behind --", async () => {
    const { call, opened } = world({ runs: [applied] });
    const { code, out } = await call("-n=team", "runs", "shop", "-c=network", "-o=json");
    assert.equal(code, EXIT.done);
    assert.equal(opened[0]?.namespace, "team");
    assert.equal((JSON.parse(out) as unknown[]).length, 1);
    assert.equal((await call("status", "--", "-n=team")).code, EXIT.notFound);
  });

  it("names the components that there are when one is not", async () => {
    for (const args of [
      ["plan", "shop", "typo"],
      ["runs", "shop", "-c", "typo", "-o", "json"],
    ]) {
      const { code, err } = await world({ runs: [applied] }).call(...args);
      assert.equal(code, EXIT.notFound, args.join(" "));
      assert.match(err, /^shop has no component "typo": there are network, /);
    }
  });

  it("names the environments that there are when one is not", async () => {
    const { code, err } = await world().call("status", "shpo");
    assert.equal(code, EXIT.notFound);
    assert.equal(err, 'There is no Environment "shpo" in the namespace team. There are: shop');
  });

  it("says in which namespace it has looked when there are none", async () => {
    const { code, out } = await world({ environments: [] }).call("status");
    assert.equal(code, EXIT.done);
    assert.match(out, /no environments in the namespace team: choose another one with -n/);
  });

  const refusals: readonly (readonly [error: Error, code: number, says: RegExp])[] = [
    [
      new ApiError({
        request: "patch x",
        status: 403,
        reason: "Forbidden",
        message:
          'environments.terrarium.dev "shop" is forbidden: User "victor" cannot patch resource "environments" in API group "terrarium.dev" in the namespace "team"',
      }),
      EXIT.forbidden,
      /^You \(victor\) may not patch environments in the namespace team\. Ask who administers the namespace for the role "edit"\.$/,
    ],
    [
      new ApiError({
        request: "patch x",
        status: 403,
        reason: "Forbidden",
        message: "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: only the operator writes Runs",
      }),
      EXIT.forbidden,
      /^Refused: only the operator writes Runs$/,
    ],
    [
      new ApiError({ request: "x", status: 401, reason: "Unauthorized", message: "Unauthorized" }),
      EXIT.forbidden,
      /log in again/,
    ],
    [new ApiUnreachable("get x", "connect ECONNREFUSED"), EXIT.error, /does not answer \(connect ECONNREFUSED\)/],
  ];
  for (const [error, code, says] of refusals) {
    it(`turns "${error.message.slice(0, 60)}…" into what to do`, async () => {
      const { call, client } = world();
      client.faults.before = () => {
        throw error;
      };
      const answer = await call("run", "shop");
      assert.equal(answer.code, code);
      assert.match(answer.err, says);
    });
  }
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

describe("kubectl terrarium runs", () => {
  it("lists the newest first, of one environment or component", async () => {
    const { call } = world({ runs: [applied, working] });
    const { out } = await call("runs", "shop");
    assert.equal(
      out,
      `
NAME             COMPONENT  #  OPERATION  CAUSE          STATE     PLAN  AGE  TOOK
shop-database-2  database   2  Apply      SourceChanged  Applying        18m
shop-network-1   network    1  Apply      SourceChanged  Applied   +2    19m  60s`.trim(),
    );
    const one = await call("runs", "shop", "-c", "network", "-o", "json");
    assert.deepEqual(
      JSON.parse(one.out).map(({ name }: { name: string }) => name),
      ["shop-network-1"],
    );
  });

  it("leaves out those of an environment that had the name before", async () => {
    const former = aShopRun(
      "network",
      1,
      { observedGeneration: 1 },
      { environment: { name: "shop", uid: "old", generation: 1 } },
    );
    assert.equal((await world({ runs: [former] }).call("runs", "shop", "-o", "json")).out, "[]");
  });
});

describe("kubectl terrarium logs", () => {
  const logs = {
    "shop-network-1-p": ["Plan: 2 to add"],
    "shop-database-2-p": ["Applying…"],
    "shop-network-3-p": ["No changes."],
  };

  it("of a Run are what its pod printed", async () => {
    const { out, code } = await world({ runs: [applied], logs }).call("logs", "shop-network-1");
    assert.deepEqual([code, out], [EXIT.done, "Plan: 2 to add"]);
  });

  it("do not steer the terminal", async () => {
    const steering = { "shop-network-1-p": ["\u001b[2Jgone\tstays"] };
    const { out } = await world({ runs: [applied], logs: steering }).call("logs", "shop-network-1");
    assert.equal(out, "\\u{1b}[2Jgone\tstays");
  });

  it("of an environment are those of what is under way", async () => {
    const { out } = await world({ runs: [applied, working], logs }).call("logs", "shop");
    assert.equal(out, "Applying…");
  });

  const checking = aShopRun("network", 3, { observedGeneration: 1, phase: "Planning" }, { operation: "Check" });
  const pods = [{ name: "shop-network-3-p", uid: "u3", createdAt: at(3) }];
  const checked = { ...checking, status: { observedGeneration: 1, phase: "Succeeded", pods } } as const;

  it("of an environment are not those of a Check beside what is under way", async () => {
    const { out } = await world({ runs: [applied, working, checking], logs }).call("logs", "shop");
    assert.equal(out, "Applying…");
  });

  for (const [what, check] of Object.entries({ "under way": checking, over: checked }))
    it(`of an environment are those of the last apply where a Check is ${what}`, async () => {
      const { out, code } = await world({ runs: [applied, check], logs }).call("logs", "shop");
      assert.deepEqual([code, out], [EXIT.done, "Plan: 2 to add"]);
    });

  it("of a Check are had by its name, and not where an environment has nothing else", async () => {
    const { call } = world({ runs: [checked], logs });
    assert.equal((await call("logs", "shop-network-3")).out, "No changes.");
    const { code, err } = await call("logs", "shop");
    assert.deepEqual([code, err], [EXIT.notFound, "shop has no Runs but Checks."]);
  });

  it("of several Runs are told apart by their component", async () => {
    const other = { ...applied, status: { ...applied.status, phase: "Applying", observedGeneration: 1 } as const };
    const { out } = await world({ runs: [other, working], logs }).call("logs", "shop");
    assert.deepEqual(out.split("\n").toSorted(), ["database | Applying…", "network | Plan: 2 to add"]);
  });

  it("that are gone say how the Run ended", async () => {
    const { err, code } = await world({ runs: [applied] }).call("logs", "shop-network-1");
    assert.equal(code, EXIT.notFound);
    assert.match(err, /its log with it.*It ended as Applied: the plan was applied/);
  });
});

describe("what people say with kubectl terrarium", () => {
  it("run asks for a Run, and says when nothing will come of it", async () => {
    const { call, client } = world({ environments: [shop({}, { suspend: true })] });
    const { code, err } = await call("run", "shop");
    assert.equal(code, EXIT.done);
    assert.match(err, /nothing starts before: kubectl terrarium resume shop -n team/);
    const [environment] = client.objects(ENVIRONMENTS);
    assert.equal(environment?.metadata.annotations?.[ANNOTATIONS.requestedAt], at(20));
  });

  it("run says so where nothing but the destroy goes on", async () => {
    const { metadata, ...rest } = shop();
    const deleted = { ...rest, metadata: { ...metadata, deletionTimestamp: at(10), finalizers: ["x/y"] } };
    const { err } = await world({ environments: [deleted] }).call("run", "shop");
    assert.match(err, /^shop is being deleted: nothing is applied any more/);
  });

  for (const reason of ["", "  "]) {
    it(`run does not take "${reason}" for a reason: that would override nothing`, async () => {
      const { call, client } = world();
      const { code, err } = await call("run", "shop", "--override-windows", reason);
      assert.equal(code, EXIT.usage);
      assert.match(err, /^--override-windows needs a reason/);
      assert.deepEqual(client.objects(ENVIRONMENTS)[0]?.metadata.annotations, undefined);
    });
  }

  it("run overrides windows with a reason, for an emergency", async () => {
    const { call, client } = world();
    await call("run", "shop", "--override-windows", "the shop is down");
    const annotations = client.objects(ENVIRONMENTS)[0]?.metadata.annotations;
    assert.equal(annotations?.[ANNOTATIONS.windowOverride], "the shop is down");
    assert.equal(annotations?.[ANNOTATIONS.requestedAt], at(20));
  });

  it("suspend and resume change the spec once", async () => {
    const { call, client } = world();
    assert.match((await call("suspend", "shop")).out, /^shop is suspended\. Go on with: /);
    assert.equal(specOf(client.objects(ENVIRONMENTS)[0])?.suspend, true);
    assert.equal((await call("suspend", "shop")).out, "shop was suspended already.");
    assert.equal((await call("resume", "shop")).out, "shop goes on.");
    assert.equal(specOf(client.objects(ENVIRONMENTS)[0])?.suspend, false);
    assert.equal(client.calls.filter((call) => call.startsWith("patch")).length, 2);
  });

  const deadOf = (objects: readonly KubeObject[]) => objects[0]?.metadata.annotations?.[ANNOTATIONS.confirmDead];

  it("unlock warns, and does nothing without the name of the Run", async () => {
    const { call, client } = world({ runs: [working], answers: ["yes"] });
    const { code, err } = await call("unlock", "shop-database-2");
    assert.equal(code, EXIT.usage);
    assert.match(err, /two engines then change the same things/);
    assert.match(err, /Nothing was done\.$/);
    assert.equal(deadOf(client.objects(RUNS)), undefined);
  });

  it("unlock states the death when the name is repeated, or with --yes", async () => {
    for (const options of [{ answers: ["shop-database-2"] }, {}]) {
      const { call, client } = world({ runs: [working], ...options });
      const { code } = await call("unlock", "shop-database-2", ...(options.answers ? [] : ["--yes"]));
      assert.equal(code, EXIT.done);
      assert.equal(deadOf(client.objects(RUNS)), "u2");
    }
  });

  it("unlock is about the pod whose death is in question, or about the last one of the Run", async () => {
    const pods = ["p", "a"].map((suffix) => ({ name: `shop-database-2-${suffix}`, uid: suffix, createdAt: at(2) }));
    for (const [asked, uid] of [
      [{}, "a"],
      [{ unprovenPod: "unrecorded" }, "unrecorded"],
    ] as const) {
      const run = aShopRun("database", 2, { observedGeneration: 1, phase: "Applying", pods, ...asked });
      const { call, client } = world({ runs: [run] });
      const { err } = await call("unlock", "shop-database-2", "--yes");
      assert.match(err, new RegExp(`UID ${uid}\\)`));
      assert.equal(deadOf(client.objects(RUNS)), uid);
    }
  });

  it("unlock has nothing to say about a Run without a pod", async () => {
    const { call, client } = world({ runs: [aShopRun("database", 2, { observedGeneration: 1, phase: "Pending" })] });
    assert.equal((await call("unlock", "shop-database-2", "--yes")).code, EXIT.waiting);
    assert.equal(deadOf(client.objects(RUNS)), undefined);
  });

  it("unlock asks for --yes where nobody can be asked, and leaves a Run alone that has ended", async () => {
    const { call, client } = world({ runs: [working, applied] });
    const nobody = await call("unlock", "shop-database-2");
    assert.deepEqual(
      [nobody.code, nobody.err.split("\n").at(-1)],
      [EXIT.usage, "Nobody can be asked here: add --yes if you mean it"],
    );
    const ended = await call("unlock", "shop-network-1", "--yes");
    assert.equal(ended.code, EXIT.waiting);
    assert.match(ended.err, /kubectl terrarium state unlock shop network -n team$/);
    assert.equal(
      client.calls.some((call) => call.startsWith("patch")),
      false,
    );
  });
});
