import assert from "node:assert/strict";
import type { Run } from "../../operator/api/run.ts";
import { awaitCondition } from "../../tools/cluster/await-condition.ts";
import { approvers, says, untilHeld } from "./support/approvers.ts";
import { anEnvironment, type Engine, fromSecret } from "./support/environments.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps, keepsVariable, reports } from "./support/modules.ts";
import { patience } from "./support/patience.ts";
import { conditionOf, lineOf, outputOf, type Place } from "./support/place.ts";

const guarded = (place: Place, engine: Engine = "opentofu", required = 1, size = "small") =>
  anEnvironment({
    name: "guarded",
    engine,
    approval: { required },
    variables: [{ name: "size", value: size }],
    components: [{ name: "one", module: keepsVariable("size") + reports(place.outside.address, "one") }],
    outputs: [{ name: "size", valueFrom: { output: { component: "one", name: "kept" } } }],
  });

/** A plan that waits keeps no pod: the kubelet tells of its end a moment after the plan is in the store. */
async function untilNoPodRuns(place: Place): Promise<void> {
  await awaitCondition("the pod that planned to end", 60 * patience, async () => {
    const running = (await place.pods("one")).filter(({ status }) => status?.phase === "Running");
    return running.length === 0 || `${running[0]?.metadata.name} runs`;
  });
}

journeys("plans that people must approve", () => {
  journeyWithEachEngine(
    "exactly the plan that two people approved is applied, and destroyed with their consent",
    async (place, engine) => {
      await approvers(place, "ada", "bob");
      await place.apply(guarded(place, engine, 2));
      const run = await untilHeld(place, "one");
      const waiting = await place.until("guarded", (found) => lineOf("one")(found)?.state === "AwaitingApproval");
      assert.match(lineOf("one")(waiting)?.message ?? "", /kubectl terrarium approve guarded: 0 of 2 approvals/);
      assert.equal(conditionOf(waiting, "Ready")?.reason, "AwaitingApproval");
      assert.equal(conditionOf(waiting, "AwaitingApproval")?.status, "True");
      assert.equal(lineOf("one")(waiting)?.approval?.planDigest, run.status?.plan?.digest);

      await says(place, "ada", "Approve", run);
      await place.untilRun("one", ({ status }) => status?.approvals?.length === 1, {
        about: "the first word to be seen",
      });
      await untilNoPodRuns(place);
      assert.deepEqual(place.outside.heard, [], "one of two is not enough");
      await says(place, "bob", "Approve", run);

      const ready = await place.untilReady("guarded");
      assert.equal(outputOf(ready, "size"), "small");
      assert.deepEqual(place.outside.heard, ["create/one"]);
      const [ended, ...more] = await place.runs("one");
      assert.equal(more.length, 0, "the Run that was approved is the one that applied");
      assert.deepEqual(ended?.status?.approvals?.map(({ approver }) => approver).sort(), ["ada", "bob"]);
      assert.equal(ended?.status?.plan?.digest, run.status?.plan?.digest);

      await place.delete("guarded");
      const destroy = await untilHeld(place, "one", 2);
      assert.equal(destroy.spec.operation, "Destroy");
      for (const person of ["ada", "bob"]) await says(place, person, "Approve", destroy);
      await place.untilGone("guarded");
      assert.deepEqual(place.outside.heard, ["create/one", "destroy/one"]);
    },
  );

  journey("a no ends it, and nothing comes back until something changes", async (place) => {
    await approvers(place, "ada");
    await place.apply(guarded(place));
    await says(place, "ada", "Reject", await untilHeld(place, "one"), "too small");
    const line = await place.untilReason("guarded", "one", "Rejected");
    assert.match(line.message ?? "", /ada rejected the plan: too small/);
    assert.equal(conditionOf(await place.environment("guarded"), "Stalled")?.status, "True");

    await place.apply(guarded(place, "opentofu", 1, "large"));
    await says(place, "ada", "Approve", await untilHeld(place, "one", 2));
    assert.equal(outputOf(await place.untilReady("guarded"), "size"), "large");
    await place.delete("guarded");
    await says(place, "ada", "Approve", await untilHeld(place, "one", 3));
    await place.untilGone("guarded");
  });

  journey("a change voids the plan that waits: what was approved before is not applied", async (place) => {
    await approvers(place, "ada");
    await place.apply(guarded(place));
    const first = await untilHeld(place, "one");
    await place.apply(guarded(place, "opentofu", 1, "large"));
    const voided = await place.untilRunEnds("one", 1);
    assert.equal(voided.status?.outcome?.reason, "Superseded");
    assert.match(voided.status?.outcome?.message ?? "", /variable size/);
    const second = await untilHeld(place, "one", 2);
    await says(place, "ada", "Approve", first);
    assert.deepEqual(place.outside.heard, []);
    await says(place, "ada", "Approve", second);
    assert.equal(outputOf(await place.untilReady("guarded"), "size"), "large");
    // Everything else is taken away without asking: the rules are lifted.
    await place.apply(guarded(place, "opentofu", 0, "large"));
    await place.untilReady("guarded");
  });

  journey("a Secret that was rotated while the plan waited voids it", async (place) => {
    await approvers(place, "ada");
    const environment = (required: number) =>
      anEnvironment({
        name: "rotated",
        approval: { required },
        components: [{ name: "one", module: keepsVariable("word"), variables: [fromSecret("word", "login", "word")] }],
      });
    await place.secret("login", { word: "before" });
    await place.apply(environment(1));
    const first = await untilHeld(place, "one");
    await place.secret("login", { word: "after" });
    await says(place, "ada", "Approve", first);
    const voided = await place.untilRunEnds("one", 1);
    assert.equal(voided.status?.outcome?.reason, "Superseded");
    assert.match(voided.status?.outcome?.message ?? "", /a value that the plan was made from has changed/);
    await says(place, "ada", "Approve", await untilHeld(place, "one", 2));
    await place.untilReady("rotated");
    await place.apply(environment(0));
    await place.untilReady("rotated");
  });

  journey(
    "what was approved waits for what it comes after, and is planned anew once that has changed",
    async (place) => {
      await approvers(place, "ada");
      const { outside } = place;
      const environment = (first: string, required = 1) =>
        anEnvironment({
          name: "ordered",
          components: [
            { name: "one", module: first },
            { name: "two", module: reports(outside.address, "two"), dependsOn: ["one"], approval: { required } },
          ],
        });
      await place.apply(environment(keeps("a")));
      const planned = await untilHeld(place, "two");
      const changed = keeps("a") + reports(outside.address, "new");
      outside.hold("create/new");
      await place.apply(environment(changed));
      await outside.arrival("create/new");
      await says(place, "ada", "Approve", planned);
      const isHeldBack = ({ status }: Run) => /^approved; waits for one \(Applying\)$/.test(status?.message ?? "");
      await place.untilRun("two", isHeldBack, { about: "the approved plan to wait for what it comes after" });

      outside.release("create/new");
      const voided = await place.untilRunEnds("two", 1);
      assert.equal(voided.status?.outcome?.reason, "Superseded");
      assert.match(voided.status?.outcome?.message ?? "", /^one has been changed since/);
      await says(place, "ada", "Approve", await untilHeld(place, "two", 2));
      await place.untilReady("ordered");
      assert.deepEqual(outside.heard, ["create/new", "create/two"]);
      // Everything else is taken away without asking: the rules are lifted.
      await place.apply(environment(changed, 0));
      await place.untilReady("ordered");
    },
  );
});
