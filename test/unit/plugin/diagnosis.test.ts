import assert from "node:assert/strict";
import { parse } from "yaml";
import { diagnosis, type Finding, type HealthFacts } from "../../../plugin/reading/diagnosis.ts";
import { pictureOf } from "../../../plugin/reading/picture.ts";
import { doctorView } from "../../../plugin/view/doctor.ts";
import { plain } from "../../../plugin/view/text.ts";
import { T0 } from "../../fakes/objects.ts";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { at, shop } from "./shop.ts";

const healthy: HealthFacts = {
  context: "test",
  server: "https://api.example.com",
  version: "v1.35.4",
  kinds: ["environments", "runs"],
  operator: { namespace: "terrarium-system", wanted: 2, ready: 2, image: "operator:0.1.0", renewedAt: at(20) },
  user: "jane",
  namespace: "team",
  rights: [{ to: "see Runs", allowed: true, role: "view" }],
  pictures: [pictureOf(shop(), [])],
  focus: false,
  nowMs: T0 + 20 * 60_000 + 5000,
};

const shown = (facts: Partial<HealthFacts>) => doctorView(diagnosis({ ...healthy, ...facts }), plain).join("\n");
const worst = (facts: Partial<HealthFacts>) => diagnosis({ ...healthy, ...facts }).map(({ level }) => level);

describe("the doctor", () => {
  it("finds nothing where all is well", () => {
    assert.equal(
      shown({}),
      `
The cluster
  ✔ test (https://api.example.com), Kubernetes v1.35.4
The operator
  ✔ 2 of 2 replicas are ready in terrarium-system (operator:0.1.0)
You
  ✔ You are jane, in the namespace team.
  ✔ You may see Runs.
Environments
  ✔ shop is Ready (5/5 ready).`.trim(),
    );
  });

  const findings: readonly (readonly [what: string, facts: Partial<HealthFacts>, level: string, says: RegExp])[] = [
    ["no Terrarium", { kinds: undefined }, "bad", /✖ test .*Terrarium is not installed here\.\n {6}helm install/],
    ["an old cluster", { version: "v1.33.1" }, "warn", /made for Kubernetes 1\.34/],
    ["no operator", { operator: undefined }, "bad", /There is no operator/],
    [
      "an operator that does not start",
      { operator: { namespace: "t", wanted: 2, ready: 0, image: "i" } },
      "bad",
      /None of 2 replicas in t is ready\.\n {6}kubectl -n t logs deployment\/terrarium-operator/,
    ],
    [
      "a leader that fell silent",
      { operator: { namespace: "t", wanted: 1, ready: 1, image: "i", renewedAt: at(15) } },
      "bad",
      /Nobody leads: the lease was renewed 305s ago/,
    ],
    [
      "a missing right",
      { rights: [{ to: "approve plans", allowed: false, role: "r" }] },
      "unknown",
      /may not approve plans/,
    ],
    [
      "an operator out of sight, which has worked once",
      { operator: "hidden" },
      "unknown",
      /may not look at the operator itself; it has looked at the newest spec of every environment here/,
    ],
    [
      "an operator out of sight that does not",
      { operator: "hidden", pictures: [{ ...pictureOf(shop(), []), seen: false }] },
      "warn",
      /has not looked at the newest spec of shop/,
    ],
  ];
  for (const [what, facts, level, says] of findings) {
    it(`tells of ${what}`, () => {
      assert.match(shown(facts), says);
      assert.ok(worst(facts).includes(level as "bad"), worst(facts).join(", "));
    });
  }

  it("of an environment says what is wrong and what to do, closely when asked about it", () => {
    const lines = {
      app: { state: "Stalled", reason: "Cancelled", message: "Run 3 was cancelled", run: "shop-app-3" },
    } as const;
    const pictures = [pictureOf(shop(lines), [])];
    assert.match(shown({ pictures }), /✖ shop: app waits for a person\.\n {6}kubectl terrarium doctor shop -n team/);
    assert.match(
      shown({ pictures, focus: true }),
      /✖ shop\/app: Run 3 was cancelled\. A person cancelled the Run\..*\n {6}kubectl terrarium logs shop-app-3 -n team\n {6}kubectl terrarium run shop -n team/,
    );
  });

  it("of an apply that was cut off says where to look before the plan for the rest is approved", () => {
    const app = { state: "AwaitingApproval", reason: "AwaitingApproval", interrupted: "shop-app-3" } as const;
    const pictures = [pictureOf(shop({ app: { ...app, message: "0 of 1", run: "shop-app-4" } }), [])];
    const commands = ["state imports shop app", "plan shop app", "approve shop --component app"];
    const lines = commands.map((command) => ` {6}kubectl terrarium ${command} -n team`).join("\\n");
    assert.match(shown({ pictures, focus: true }), new RegExp(lines));
  });

  it("of an apply that was cut off says where to look after the plan for the rest was rejected, too", () => {
    const app = {
      state: "Stalled",
      reason: "Rejected",
      interrupted: "shop-app-3",
      message: "ann rejected the plan",
    } as const;
    const pictures = [pictureOf(shop({ app: { ...app, run: "shop-app-4" } }), [])];
    const commands = ["state imports shop app", "logs shop-app-4", "run shop"];
    const lines = commands.map((command) => ` {6}kubectl terrarium ${command} -n team`).join("\\n");
    assert.match(shown({ pictures, focus: true }), new RegExp(lines));
  });

  it("finds nothing wrong with what sleeps or waits for a window, also where it looks closely", () => {
    const asleep = { state: "Suspended", reason: "Asleep", message: "asleep until 2026-01-02T07:00:00Z" } as const;
    const closed = { state: "Suspended", reason: "WindowClosed", message: "the next one opens at 20:00" } as const;
    for (const focus of [true, false]) {
      for (const app of [asleep, closed]) {
        const pictures = [pictureOf(shop({ app }), [])];
        assert.ok(!worst({ pictures, focus }).includes("bad"), shown({ pictures, focus }));
      }
      const suspended = { state: "Suspended", reason: "Suspended", message: "the change waits" } as const;
      const pictures = [pictureOf(shop({ app: suspended }), [])];
      assert.ok(worst({ pictures, focus }).includes("bad"), "somebody has suspended it, and must resume it");
    }
  });

  it("of an environment that one may not see tells what can be known all the same, and fails a script", () => {
    const facts = { pictures: "hidden", focus: true } as const;
    assert.match(shown(facts), /You are jane.*\n.*\nEnvironments\n {2}✖ You may not see it/s);
    assert.ok(worst(facts).includes("bad"));
    assert.ok(!worst({ ...facts, focus: false }).includes("bad"));
  });

  it("asks the API server who calls and what that person may do, and fails a script when something is wrong", async () => {
    const may = ({ verb }: { verb: string }) => verb !== "patch";
    const { code, out } = await pluginWorld({ environments: [shop()], user: "victor", may }).call("doctor");
    assert.match(out, /You are victor/);
    assert.match(out, /You may not change environments.*edit/);
    // There is no operator in this world.
    assert.equal(code, 3);
  });

  it("prints its findings as data that says the same, with the same exit code", async () => {
    const environments = [
      shop({ app: { state: "Stalled", reason: "OutputMissing", message: "spec.outputs[url] is wrong" } }),
    ];
    const { call } = pluginWorld({ environments, user: "victor" });
    const json = await call("doctor", "shop", "-o", "json");
    const findings = JSON.parse(json.out) as readonly Finding[];
    assert.equal(json.code, 3);
    assert.deepEqual(
      findings.filter(({ about }) => about === "operator" || about === "environment"),
      [
        {
          about: "operator",
          level: "bad",
          says: "There is no operator: nobody acts on environments.",
          next: ["helm install terrarium …"],
        },
        { about: "environment", level: "bad", says: "shop/app: spec.outputs[url] is wrong", next: [] },
      ],
    );
    assert.ok(findings.some(({ says }) => says === "You are victor, in the namespace team."));
    const yaml = await call("doctor", "shop", "-o", "yaml");
    assert.deepEqual([yaml.code, parse(yaml.out)], [3, findings]);
  });
});
