import assert from "node:assert/strict";
import { allRights, nameOf, openRights, type Right, type Rights } from "./rights.ts";
import { type Ending, life } from "./story.ts";
import { isAsCalm } from "./sweep.ts";
import { isWhole } from "./whole.ts";

const AT_ONCE = 6;

/** What a life cannot do without, as far as it is told here. */
const INDISPENSABLE = [
  "list environments.terrarium.dev",
  "watch environments.terrarium.dev",
  "patch environments.terrarium.dev",
  "patch environments/status.terrarium.dev",
  "list runs.terrarium.dev",
  "watch runs.terrarium.dev",
  "get runs.terrarium.dev",
  "create runs.terrarium.dev",
  "patch runs.terrarium.dev",
  "patch runs/status.terrarium.dev",
  "list approvals.terrarium.dev",
  "watch approvals.terrarium.dev",
  "list pods",
  "watch pods",
  "get pods",
  "create pods",
  "patch pods",
  "delete pods",
  "list nodes",
  "watch nodes",
  "get customresourcedefinitions.apiextensions.k8s.io",
  "create tokenreviews.authentication.k8s.io",
  "get secrets at home",
  "list secrets at home",
  "watch secrets at home",
  "update secrets at home",
  "delete secrets at home",
  "get leases.coordination.k8s.io at home",
  "create leases.coordination.k8s.io at home",
  "update leases.coordination.k8s.io at home",
];

/** The API server's sentence about it, in a line of text or of JSON. */
const saysMissing = ({ resource, verb }: Right, line: string): boolean =>
  line.replaceAll('\\"', '"').includes(`cannot ${verb} resource "${resource}"`);

describe("An operator that is given one right less", function () {
  this.timeout(isWhole ? 1_800_000 : 120_000);
  let calm: Ending;

  before(async () => {
    calm = await life({ lease: {} });
  });

  /** Whether the life needed it. It is given back as soon as it is said to be missing. */
  async function isMissed(right: Right): Promise<boolean> {
    let rights: Rights | undefined;
    let said = false;
    const ending = await life({
      lease: {},
      as: async (stage, namespaces) => {
        rights = await openRights(stage, namespaces, right);
        return rights.user;
      },
      hear(line) {
        if (said || !saysMissing(right, line)) return;
        said = true;
        void rights?.giveBack();
      },
    });
    isAsCalm(ending, calm);
    return said;
  }

  it("says which, and goes on as ever when it is given back", async function () {
    const rights = await allRights();
    const waiting = isWhole ? [...rights] : rights.filter((right) => nameOf(right) === "create pods");
    const missed = new Set<string>();
    const troubles: string[] = [];
    const worker = async () => {
      for (let right = waiting.shift(); right !== undefined; right = waiting.shift()) {
        const name = nameOf(right);
        const told = isMissed(right).catch((error: unknown) => void troubles.push(`without ${name}: ${String(error)}`));
        if (await told) missed.add(name);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (this.test !== undefined) this.test.title += `: ${missed.size} of ${rights.length} rights were missed`;
    assert.deepEqual(troubles, []);
    const expected = isWhole ? INDISPENSABLE : ["create pods"];
    assert.deepEqual(
      expected.filter((name) => !missed.has(name)),
      [],
    );
  });
});
