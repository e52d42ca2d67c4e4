import assert from "node:assert/strict";
import type { Approval } from "../../../operator/api/approval.ts";
import type { Run } from "../../../operator/api/run.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import type { KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import { APPROVALS, RUNS } from "../../../operator/cluster/resources.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { at, digestOf, held, shop } from "./shop.ts";

const OTHER_PLAN = "it is about another plan (the digest differs)";
const NETWORK = "shop-network-3";

type Words = NonNullable<RunStatus["approvals"]>;

function world(words: Words = []) {
  const runs = [held("network", 3, "e", { approvals: words })];
  const { call, client } = pluginWorld({ environments: [shop()], runs, minutes: 20, user: "jane" });
  const said = () => client.objects(APPROVALS) as readonly Stored<Approval & KubeObject>[];
  return {
    client,
    said,
    decide: (command: "approve" | "reject" = "approve") => call(command, "shop", "--yes"),
    /** The operator has seen what was said so far, and does not count it. */
    ignoreAll(why: string) {
      const [run] = client.objects(RUNS) as unknown as readonly Stored<Run>[];
      assert.ok(run?.status);
      const approvals = said().map(({ spec: { approver, decision }, metadata }) => {
        const word = { approver, decision, at: new Date(metadata.creationTimestamp).toISOString() };
        return { ...word, ignored: why };
      });
      client.seed(RUNS, { ...run, status: { ...run.status, approvals } });
    },
  };
}

describe("A word that was said before with kubectl terrarium", () => {
  it("is not said again while nothing is known against it", async () => {
    const { decide, said } = world();
    await decide();
    const { code, out } = await decide();
    assert.equal(code, EXIT.done);
    assert.match(out, /Approved before: shop-network-3/);
    assert.equal(said().length, 1);
  });

  it("is said again, under the next name, once the Run says that it does not count", async () => {
    for (const command of ["approve", "reject"] as const) {
      const { decide, said, ignoreAll } = world();
      await decide(command);
      for (const number of [2, 3]) {
        ignoreAll(OTHER_PLAN);
        const { code, out, err } = await decide(command);
        assert.equal(code, EXIT.done);
        assert.match(out, /(Approved|Rejected): shop-network-3/);
        assert.equal(err, `${NETWORK}: what you said before does not count: ${OTHER_PLAN}`);
        assert.equal(said().length, number);
      }
      const [first, ...more] = said();
      assert.deepEqual(
        more.map(({ metadata }) => metadata.name),
        [`${first?.metadata.name}-2`, `${first?.metadata.name}-3`],
      );
      for (const { spec } of more) assert.deepEqual(spec, first?.spec);
    }
  });

  it("counts also where it was said in another way", async () => {
    const byHand = { approver: "jane", decision: "Approve", at: at(10) } as const;
    const { decide, said } = world([byHand, { ...byHand, at: at(12), ignored: "the same person has said so before" }]);
    const { code, out } = await decide();
    assert.deepEqual([code, said()], [EXIT.done, []]);
    assert.match(out, /Approved before: shop-network-3/);
  });

  it("does not keep somebody from saying the contrary, nor somebody else from saying the same", async () => {
    const words: Words = [
      { approver: "jane", decision: "Approve", at: at(10) },
      { approver: "bob", decision: "Reject", at: at(10), ignored: OTHER_PLAN },
    ];
    const { decide, said } = world(words);
    const { out } = await decide("reject");
    assert.match(out, /Rejected: shop-network-3/);
    assert.equal(said().length, 1);
  });

  it("is deleted with its Run, whose deletion does not wait for it", async () => {
    const { decide, said } = world();
    await decide();
    assert.deepEqual(
      said().map(({ metadata }) => metadata.ownerReferences),
      [[{ apiVersion: "terrarium.dev/v1alpha1", kind: "Run", name: NETWORK, uid: "network-3" }]],
    );
  });

  const others: readonly (readonly [what: string, spec: Partial<Approval["spec"]>])[] = [
    ["another person's", { approver: "bob" }],
    ["about another plan", { planDigest: digestOf("f") }],
    ["about a Run of the same name that is another", { run: { name: NETWORK, uid: "another" } }],
    ["the contrary", { decision: "Reject" }],
    ["about another environment", { environment: "bakery" }],
  ];
  for (const [what, other] of others) {
    it(`is not claimed where its name holds a word that is ${what}`, async () => {
      const { decide, said, client } = world();
      await decide();
      const [first] = said();
      assert.ok(first);
      client.seed(APPROVALS, { ...first, spec: { ...first.spec, ...other } });
      const { code, out, err } = await decide();
      assert.equal(code, EXIT.error);
      assert.ok(!/Approved( before)?:/.test(out), out);
      const { name } = first.metadata;
      assert.ok(err.startsWith(`${NETWORK}: The Approval ${name} says something else already`), err);
      assert.ok(err.includes(`kubectl get approval ${name} -n team -o yaml`), err);
      assert.equal(said().length, 1);
    });
  }

  it("is the same word with another reason", async () => {
    const { decide, said, client } = world();
    await decide();
    const [first] = said();
    assert.ok(first);
    client.seed(APPROVALS, { ...first, spec: { ...first.spec, reason: "read it" } });
    assert.match((await decide()).out, /Approved before/);
  });

  it("is said anew where it was deleted in that very moment", async () => {
    const { decide, said, client } = world();
    await decide();
    const [first] = said();
    assert.ok(first);
    client.faults.before = (verb, resource) => {
      if (verb === "get" && resource === APPROVALS.plural)
        client.seed(APPROVALS, { ...first, metadata: { ...first.metadata, deletionTimestamp: at(20) } });
    };
    const { code, out } = await decide();
    assert.equal(code, EXIT.done);
    assert.match(out, /Approved: shop-network-3/);
    assert.equal(said().length, 1);
  });
});
