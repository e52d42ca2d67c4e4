import assert from "node:assert/strict";
import { isClosed, type Run } from "../../operator/api/run.ts";
import type { KubeObject } from "../../operator/cluster/ports.ts";
import { ENVIRONMENTS, PODS } from "../../operator/cluster/resources.ts";
import { anEnvironment } from "../fakes/objects.ts";
import type { Place } from "./place.ts";
import type { Seen } from "./proxy.ts";
import { inPlace } from "./story.ts";
import { isWhole } from "./whole.ts";

const FLEET = isWhole ? 1_000 : 30;
const MOST_AT_ONCE = isWhole ? 20 : 5;
const LONGEST_MS = isWhole ? 30 * 60_000 : 300_000;

const names = Array.from({ length: FLEET }, (_, at) => `shop-${at}`);
const CHANGED = `shop-${FLEET - 1}`;

async function createAll({ client, namespace, engines }: Place): Promise<void> {
  const { source, components } = engines.spec(1);
  for (const name of names) {
    const { spec } = anEnvironment(components, { spec: { source } });
    await client.create(ENVIRONMENTS, { metadata: { name, namespace }, spec } as unknown as KubeObject);
  }
}

/** Environments, Runs, Approvals, pods, nodes, records. */
const LISTED_KINDS = 6;
const PAGE = 500;
const isList = ({ path }: Seen): boolean => path.includes("limit=");

const isReady = ({ view }: Place, name: string, generation: number): boolean => {
  const { metadata, status } = view.environment(name) ?? {};
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return metadata?.generation === generation && ready?.observedGeneration === generation && ready.status === "True";
};

const hasPod = (run: Run): boolean => !isClosed(run) && (run.status?.pods ?? []).length > 0;

describe(`An operator that begins anew among ${FLEET} Environments`, function () {
  this.timeout(LONGEST_MS + 120_000);

  it("plans none of them again, and turns to the one that was changed meanwhile", async function () {
    const requests: Seen[] = [];
    let mostAtOnce = 0;
    const times: string[] = [];
    const timed = async (what: string, work: () => Promise<unknown>) => {
      const startedAt = performance.now();
      await work();
      times.push(`${what} after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    };
    const seeRequest = (request: Seen) => void requests.push(request);
    await inPlace({ seeRequest, mostAtOnce: MOST_AT_ONCE }, async (place) => {
      const { view, client, namespace, engines } = place;
      const waiting = new Set(names);
      const allAreReady = () => {
        place.unbroken();
        mostAtOnce = Math.max(mostAtOnce, view.runs().filter(hasPod).length);
        for (const name of waiting) if (isReady(place, name, 1)) waiting.delete(name);
        return waiting.size === 0;
      };
      await timed("all Ready", async () => {
        await createAll(place);
        await view.awaited("all are Ready", allAreReady, LONGEST_MS);
      });
      const isOver = ({ metadata }: { readonly metadata: KubeObject["metadata"] }) => !metadata.finalizers?.length;
      await place.awaited("every Run and pod is let go of", () => [...view.runs(), ...view.pods()].every(isOver));
      assert.equal(view.everMade().runs, FLEET, "one Run each");
      assert.equal(mostAtOnce, MOST_AT_ONCE, "Runs that have a pod at the same time: never more than may, and as many");

      // As somebody does who tidies up: what the Runs remember is not there any more.
      for (const { metadata } of view.pods()) await client.delete(PODS, namespace, metadata.name);
      requests.length = 0;
      await timed("the change applied", async () => {
        const begun = place.killOperator();
        await client.mergePatch(ENVIRONMENTS, namespace, CHANGED, { spec: engines.spec(2) });
        await begun;
        await place.awaited("the changed one is applied", () => isReady(place, CHANGED, 2));
      });
      await place.awaited("its Run has ended", () => view.runs().every(isClosed));
      assert.equal(view.everMade().runs, FLEET + 1, "one Run more, for the one that was changed");
    });
    const isOther = ({ path }: Seen) => new RegExp(`/(environments|runs|pods)/(?!${CHANGED}\\b)`).test(path);
    assert.deepEqual(requests.filter(isOther), [], "nothing is asked or written about the others by their names");
    const reads = requests.filter(({ method, path }) => method === "GET" && !path.includes("watch=true"));
    const [lists, single] = [reads.filter(isList), reads.filter((read) => !isList(read))];
    assert.ok(lists.length <= LISTED_KINDS * Math.ceil(FLEET / PAGE), `${lists.length} pages of lists`);
    assert.ok(single.length <= 10, `read one by one: ${single.map(({ path }) => path)}`);
    if (this.test !== undefined) this.test.title += `: ${times.join(", ")}, ${reads.length} reads`;
  });
});
