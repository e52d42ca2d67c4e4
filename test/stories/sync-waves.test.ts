import assert from "node:assert/strict";
import type { Environment } from "../../operator/api/environment.ts";
import { customizationOf, type Health } from "../fakes/argo-lua.ts";
import { aModule } from "../fakes/world-people.ts";
import { isConverged, type Told, tell } from "./telling.ts";

const environments = customizationOf("Environment");

/**
 * A sync of Argo CD's, as far as its waves go: after it has applied a wave it asks for the health of what is in it, whenever that has changed,
 * and goes on when it is Healthy. Degraded ends the sync. Gives what it saw on the way.
 */
async function healthOfWave({ world, person }: Told): Promise<readonly Health[]> {
  const seen: Health[] = [];
  let version: string | undefined;
  for (;;) {
    const now = person.find() as Environment | undefined;
    if (now?.metadata.resourceVersion !== version && now !== undefined) {
      version = now.metadata.resourceVersion;
      const health = await environments.health(asServed(now));
      seen.push(health);
      if (health.status === "Healthy" || health.status === "Degraded") return seen;
    }
    if (await world.step()) continue;
    const wait = world.clock.untilNext();
    assert.ok(wait !== undefined, `the sync waits for ever: ${JSON.stringify(seen.at(-1))}`);
    if (seen.at(-1)?.status === "Suspended" && person.help()) continue;
    world.clock.advance(wait);
  }
}

/** The definition gives a new object this status, which the API server in memory does not. */
const asServed = (environment: Environment): Environment => ({
  ...environment,
  status: { observedGeneration: -1, ...environment.status },
});

const pair = (value: string) => [aModule("network", [], { value }), aModule("app", ["network"])];

describe("The sync waves of Argo CD", function () {
  this.timeout(60_000);

  /** So that a wave that begins too early is seen: the cloud holds, at that moment, exactly what is declared. */
  const wave = async (told: Told): Promise<readonly Health[]> => {
    const seen = await healthOfWave(told);
    assert.equal(seen.at(-1)?.status, "Healthy", JSON.stringify(seen.at(-1)));
    assert.ok(isConverged(told), "the next wave begins, and what is declared is not there");
    return seen;
  };

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`go on when everything that the Environment declares is there: at first, and after each change (seed ${seed})`, async () => {
      await tell({ seed }, async (told) => {
        const { person } = told;
        person.create(pair("v1"));
        assert.equal((await wave(told))[0]?.status, "Progressing", "nobody has looked at it yet");
        person.set("network", "value", "v2");
        assert.equal((await wave(told))[0]?.status, "Progressing", "what was Healthy is not, as soon as it is changed");
      });
    });
  }

  it("hold while a plan waits for a person, and go on when it is applied", async () => {
    await tell({ seed: 6 }, async (told) => {
      told.person.create(pair("v1"), { approval: { required: 1, planExpiresAfter: "24h" } });
      const seen = await wave(told);
      assert.ok(seen.some(({ status }) => status === "Suspended"));
    });
  });

  it("fail when the Environment cannot become what is declared", async () => {
    await tell({ seed: 7 }, async (told) => {
      told.person.create([aModule("network", [], { mode: "plan-fails" })], { retry: { limit: 0 } });
      assert.equal((await healthOfWave(told)).at(-1)?.status, "Degraded");
    });
  });
});
