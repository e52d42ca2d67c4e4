import assert from "node:assert/strict";
import type { Run } from "../../../operator/api/run.ts";
import { freshStanding } from "../../../operator/assembly/plan-standing.ts";
import { planStanding } from "../../../operator/environment/plan-standing.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aComponent, anEnvironment, anOutput, CATALOGUE } from "../../fakes/objects.ts";
import { loseRecord, makeUpFor } from "../environment/lost-record.ts";
import { aStory } from "../environment/story.ts";

type Story = ReturnType<typeof aStory>;

const MINUTE_MS = 60_000;

/** What the leader says of a plan, who sees everything, and what the gateway says, which reads as little as it can. */
async function standings(story: Story, run: Run) {
  const store = memoryStore();
  for (const record of story.records.values()) store.seed(record);
  let requests = 0;
  const client = {
    listAll: async (_resource: unknown, { labelSelector = "" }: { labelSelector?: string }) => {
      requests += 1;
      const names = /in \((.*)\)/.exec(labelSelector)?.[1]?.split(",") ?? [];
      return { items: story.runs().filter(({ spec }) => names.includes(spec.component)) };
    },
  } as unknown as Parameters<typeof freshStanding>[0]["client"];
  const asked = {
    run,
    environment: story.environment(),
    own: story.records.get(run.spec.component),
    nowMs: story.now(),
  };
  const gateway = await freshStanding({ client, store, catalogue: CATALOGUE }, asked, new AbortController().signal);
  return { leader: planStanding(story.observation(), run), gateway, requests };
}

const stands = { type: "stands" };

describe("A plan that waited stands for the gateway as it does for the leader", () => {
  it("where a person has put a state in the place of a record that was lost", async () => {
    const story = aStory(anEnvironment([aComponent("a")]));
    story.settle();
    loseRecord(story, "a");
    makeUpFor(story, "a");
    const { leader, gateway, requests } = await standings(story, story.hold("a"));
    assert.deepEqual([leader, gateway], [stands, stands]);
    assert.equal(requests, 0, "of a component that needs no other, nothing is asked");
  });

  it("where its former name is declared late: what is there moves, and is not made a second time", async () => {
    const spec = { approval: { required: 1, planExpiresAfter: "24h" } } as never;
    const story = aStory(anEnvironment([aComponent("net")], { spec }));
    story.settle();
    const declare = (component: ReturnType<typeof aComponent>) =>
      story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [component] } }));
    declare(aComponent("network"));
    story.round();
    const run = story.hold("network");
    declare(aComponent("network", { formerName: "net" }));
    const { leader, gateway } = await standings(story, run);
    assert.equal(leader.type, "void");
    assert.deepEqual(gateway, leader);
  });

  it("in the night, where it is kept awake for what uses it", async () => {
    const sleep = { sleep: { destroy: true } };
    const net = aComponent("net", sleep);
    const vpc = { name: "vpc", valueFrom: { output: { component: "net", name: "id" } } };
    const app = aComponent("app", { ...sleep, terraform: { path: ".", variables: [vpc] } });
    const lifetime = { sleep: { schedule: "0 20 * * *", wake: "0 7 * * *", timeZone: "UTC" } };
    const spec = { lifetime, approval: { required: 1, planExpiresAfter: "24h" } } as never;
    const story = aStory(anEnvironment([net, app], { spec }));
    const untilHour = (hour: number) => {
      while (new Date(story.now()).getUTCHours() !== hour) story.pass(10 * MINUTE_MS);
    };
    untilHour(12);
    story.settle({ net: [anOutput("id")] });
    untilHour(19);
    const record = story.records.get("app") ?? assert.fail();
    const at = new Date(story.now()).toISOString();
    const written = { how: "Restore", by: "jane", at, serial: 9, newestRun: 1, replaced: true } as const;
    story.records.set("app", { ...record, written });
    story.round();
    story.hold("app");
    untilHour(21);
    const larger = { ...net, terraform: { path: ".", variables: [{ name: "size", value: 2 }] } };
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [larger, app] } }));
    for (let rounds = 0; rounds < 3; rounds += 1) story.round();
    const { leader, gateway } = await standings(story, story.hold("net"));
    assert.deepEqual([leader, gateway], [stands, stands]);
  });
});
