import assert from "node:assert/strict";
import type { Approval } from "../../../operator/api/approval.ts";
import type { Run } from "../../../operator/api/run.ts";
import { ApiError } from "../../../operator/cluster/errors.ts";
import type { ConfigMap } from "../../../operator/cluster/kinds.ts";
import type { KubeObject } from "../../../operator/cluster/ports.ts";
import { APPROVALS, CONFIG_MAPS } from "../../../operator/cluster/resources.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { type PluginWorldOptions, pluginWorld } from "../../fakes/plugin-world.ts";
import { at, digestOf, held, shop } from "./shop.ts";

const database = held("database", 5, "d", {
  approvals: [
    { approver: "bob", decision: "Approve", at: at(9) },
    { approver: "eve", decision: "Approve", at: at(9), ignored: "it is about another plan" },
  ],
});
const network = held("network", 3, "e");
const past = held("app", 4, "f", {
  phase: "Succeeded",
  outcome: { result: "Applied", reason: "Applied", message: "the plan was applied" },
});

const world = (options: PluginWorldOptions = {}) =>
  pluginWorld({ environments: [shop()], runs: [past, database, network], minutes: 20, user: "jane", ...options });

const specs = (objects: readonly KubeObject[]) => (objects as readonly Approval[]).map(({ spec }) => spec);

describe("kubectl terrarium approve", () => {
  it("shows Run, digest, counts and what is destroyed of each plan, asks once, and signs each for what was shown", async () => {
    const { call, client } = world({ answers: ["yes"] });
    const { code, out, err } = await call("approve", "shop", "--reason", "agreed in the meeting");
    assert.equal(code, EXIT.done);
    assert.equal(
      out,
      `
network #3: 1 to create, 1 to replace, 1 to destroy
  Run     shop-network-3
  digest  ${digestOf("e")}
  waits   for 12m, 0 of 2 approvals; void in 23h
  ± aws_db_instance.main (destroyed, and made anew)
  - aws_s3_bucket.old

database #5: 1 to create, 1 to replace, 1 to destroy
  Run     shop-database-5
  digest  ${digestOf("d")}
  waits   for 12m, 1 of 2 approvals (bob); void in 23h
  ± aws_db_instance.main (destroyed, and made anew)
  - aws_s3_bucket.old

Approved: shop-network-3 (${digestOf("e")})
Approved: shop-database-5 (${digestOf("d")})`.trimStart(),
    );
    assert.match(err, /^Approve these 2 plans as jane\? Only "yes" counts: $/);
    assert.deepEqual(
      specs(client.objects(APPROVALS)),
      [network, database].map((run) => ({
        environment: "shop",
        run: { name: run.metadata.name, uid: run.metadata.uid },
        planDigest: run.status?.plan?.digest,
        decision: "Approve",
        approver: "jane",
        reason: "agreed in the meeting",
      })),
    );
  });

  it("signs nothing without a yes, and nothing where nobody can be asked", async () => {
    for (const options of [{ answers: ["y"] }, { answers: [] }, {}]) {
      const { call, client } = world(options);
      assert.equal((await call("approve", "shop")).code, EXIT.usage);
      assert.deepEqual(client.objects(APPROVALS), []);
    }
  });

  const choices: readonly (readonly [args: readonly string[], runs: readonly string[]])[] = [
    [["--component", "database"], ["shop-database-5"]],
    [
      ["-c", "database", "-c", "network"],
      ["shop-network-3", "shop-database-5"],
    ],
    [["--digest", digestOf("e")], ["shop-network-3"]],
    [["--digest", "dddddddd"], ["shop-database-5"]],
  ];
  for (const [args, runs] of choices) {
    it(`with ${args.join(" ").slice(0, 40)} signs ${runs.join(" and ")} only`, async () => {
      const { call, client } = world();
      assert.equal((await call("approve", "shop", "--yes", ...args)).code, EXIT.done);
      assert.deepEqual(
        specs(client.objects(APPROVALS)).map(({ run }) => run.name),
        runs,
      );
    });
  }

  it("tells a script that no plan waits, or none of those that it named", async () => {
    const { call, client } = world({ runs: [past] });
    const none = await call("approve", "shop", "--yes");
    assert.deepEqual([none.code, none.err], [EXIT.waiting, "No plan of shop waits for approval."]);
    assert.match(
      (await world().call("approve", "shop", "--yes", "--digest", "abcdef01")).err,
      /waits for approval that you named/,
    );
    assert.deepEqual(client.objects(APPROVALS), []);
  });

  for (const digest of ["", "sha256:", "ddddddd", "SHA256:DDDDDDDD", "null"]) {
    it(`signs nothing where a script's digest is "${digest}": that must not stand for every plan`, async () => {
      for (const command of ["approve", "reject"]) {
        const { call, client } = world();
        const { code, err } = await call(command, "shop", "--yes", "--digest", digest);
        assert.equal(code, EXIT.usage);
        assert.match(err, /^--digest is the digest of a plan, or at least its first eight digits, not "/);
        assert.deepEqual(client.objects(APPROVALS), []);
      }
    });
  }

  it("said twice is said once", async () => {
    const { call, client } = world();
    await call("approve", "shop", "--yes");
    const again = await call("approve", "shop", "--yes");
    assert.equal(again.code, EXIT.done);
    assert.match(again.out, /Approved before: shop-network-3/);
    assert.equal(client.objects(APPROVALS).length, 2);
  });

  it("signs what it may when one of them is refused, and says why", async () => {
    const { call, client } = world();
    client.faults.before = (verb, resource, name) => {
      if (verb !== "create" || !name.startsWith("shop-network")) return;
      const message = `denied request: jane may not approve plans of shop (${resource})`;
      throw new ApiError({ request: "create", status: 403, reason: "Forbidden", message });
    };
    const { code, err } = await call("approve", "shop", "--yes");
    assert.equal(code, EXIT.forbidden);
    assert.match(err, /^shop-network-3: Refused: jane may not approve plans of shop/);
    assert.deepEqual(
      specs(client.objects(APPROVALS)).map(({ run }) => run.name),
      ["shop-database-5"],
    );
  });

  it("warns of what the plan destroys beyond what it names", async () => {
    const counts = { create: 0, update: 0, replace: 0, delete: 70 };
    const plan = {
      digest: digestOf("a"),
      counts,
      resources: [{ address: "a.b", action: "delete" }],
      verdict: "Hold" as const,
    };
    const { out } = await world({ runs: [held("network", 3, "a", { plan })] }).call("approve", "shop", "--yes");
    assert.match(out, /- a\.b\n {2}and 69 more that are destroyed: read the whole plan first/);
  });

  it("writes out what would hide something from who signs", async () => {
    const counts = { create: 0, update: 0, replace: 0, delete: 1 };
    const resources = [{ address: 'a.b["\u001b[1A\u001b[2K\nfine\u202e"]', action: "delete" }];
    const plan = { digest: digestOf("a"), counts, resources, verdict: "Hold" as const };
    const { out } = await world({ runs: [held("network", 3, "a", { plan })] }).call("approve", "shop", "--yes");
    assert.ok(out.includes('- a.b["\\u{1b}[1A\\u{1b}[2K\\u{a}fine\\u{202e}"]'), out);
  });

  it("reject says no in the same way", async () => {
    const { call, client } = world({ answers: ["yes"] });
    const { out, err } = await call("reject", "shop", "-c", "network", "-r", "not on a Friday");
    assert.match(out, /Rejected: shop-network-3/);
    assert.match(err, /^Reject this plan as jane\?/);
    const [spec] = specs(client.objects(APPROVALS));
    assert.deepEqual([spec?.decision, spec?.reason], ["Reject", "not on a Friday"]);
  });
});

describe("kubectl terrarium plan", () => {
  const text: ConfigMap = {
    metadata: {
      name: "shop-network-3-plan",
      namespace: "team",
      labels: { "terrarium.dev/plan-of": "shop-network-3" },
    },
    data: { "plan.txt": "  # aws_s3_bucket.old will be destroyed\n  - resource …\n" },
  };

  it("does not show what somebody else wrote under that name", async () => {
    const { call, client } = world();
    client.seed(CONFIG_MAPS, { ...text, metadata: { name: "shop-network-3-plan", namespace: "team" } });
    const { out } = await call("plan", "shop");
    assert.ok(!out.includes("resource …"), out);
  });

  it("shows what waits, as people read it, and how to approve it", async () => {
    const { call, client } = world();
    client.seed(CONFIG_MAPS, text);
    const { out, err, code } = await call("plan", "shop");
    assert.equal(code, EXIT.done);
    assert.equal(
      out,
      `
network #3: 1 to create, 1 to replace, 1 to destroy
  Run     shop-network-3
  digest  ${digestOf("e")}
  cause   SourceChanged
  waits   for 12m, 0 of 2 approvals; void in 23h

    # aws_s3_bucket.old will be destroyed
    - resource …

database #5: 1 to create, 1 to replace, 1 to destroy
  Run     shop-database-5
  digest  ${digestOf("d")}
  cause   SourceChanged
  waits   for 12m, 1 of 2 approvals (bob); void in 23h

  + aws_subnet.new
  ± aws_db_instance.main
  - aws_s3_bucket.old`.trimStart(),
    );
    assert.match(err, /Approve with: kubectl terrarium approve shop -n team/);
  });

  const window = "the apply waits: no window is open: the next one opens at 2026-01-01T22:00:00Z";
  const enough: readonly (readonly [what: string, required: number, words: readonly string[], says: string])[] = [
    ["needs nobody's approval", 0, [], `no approval is needed; ${window}`],
    ["has them all", 2, ["bob", "eve"], `2 of 2 approvals (bob and eve); ${window}`],
  ];
  for (const [what, required, approvers, says] of enough) {
    it(`says what a plan still waits for that ${what}, and asks nobody to approve it`, async () => {
      const approvals = approvers.map((approver) => ({ approver, decision: "Approve" as const, at: at(9) }));
      const run = held("network", 3, "e", { approvals, message: `approved; ${window}` });
      const rules = required === 0 ? {} : { approval: { required, expiresAfter: "24h" } };
      const { call } = world({ runs: [{ ...run, spec: { ...run.spec, rules } }] });
      const { out, err } = await call("plan", "shop");
      assert.ok(out.includes(`\n  waits   for 12m, ${says}; void in 23h\n`), out);
      assert.equal(err, "");
      const asked = await call("approve", "shop");
      assert.ok(asked.out.includes(`\n  waits   for 12m, ${says}; void in 23h\n`), asked.out);
    });
  }

  it("does not say that a plan waits for approval before the operator knows what it waits for", async () => {
    const run = held("network", 3, "e", { message: "the plan waits for approval" });
    const { out } = await world({ runs: [{ ...run, spec: { ...run.spec, rules: {} } }] }).call("plan", "shop");
    assert.match(out, /waits {3}for 12m, no approval is needed; void in 23h/);
  });

  it("shows a viewer who may not read ConfigMaps the summary", async () => {
    const { call, client } = world();
    client.faults.before = (_, resource) => {
      if (resource === "configmaps")
        throw new ApiError({ request: "get", status: 403, reason: "Forbidden", message: "no" });
    };
    assert.match((await call("plan", "shop", "network")).out, /- aws_s3_bucket\.old/);
  });

  it("says which commit a plan is of, to who reads it and to who signs it", async () => {
    const plan = { ...(network.status?.plan ?? assert.fail()), revision: "0123abcd".repeat(5) };
    const options = { runs: [held("network", 3, "e", { plan })] };
    for (const command of ["plan", "approve"]) {
      const { out } = await world(options).call(command, "shop");
      assert.match(out, /\n {2}commit {2}(0123abcd){5}\n/);
    }
  });

  it("does not take what a look for drift would bring back for what was planned last", async () => {
    const look = { ...past, metadata: { ...past.metadata, name: "shop-app-5", uid: "look" } };
    const check: Run = { ...look, spec: { ...past.spec, operation: "Check", number: 5 } };
    const plan = past.status?.plan ?? assert.fail();
    const found: Run = { ...check, status: { observedGeneration: 1, phase: "Succeeded", plan } };
    const { out } = await world({ runs: [found, past] }).call("plan", "shop", "app");
    assert.match(out, /shop-app-4/);
    assert.doesNotMatch(out, /shop-app-5/);
  });

  it("shows the last plan where none waits, and says so", async () => {
    const { out, err } = await world().call("plan", "shop", "app");
    assert.match(err, /^No plan waits for approval/);
    assert.match(out, /app #4.*\n.*shop-app-4\n.*\n.*\n {2}state {3}Applied/);
    assert.equal((await world().call("plan", "shop", "monitor")).code, EXIT.waiting);
  });

  it("prints data with the digest that an approval names", async () => {
    const { out } = await world().call("plan", "shop", "network", "-o", "json");
    const [plan] = JSON.parse(out);
    assert.deepEqual([plan.digest, plan.waits, plan.required, plan.approvedBy], [digestOf("e"), true, 2, []]);
  });
});
