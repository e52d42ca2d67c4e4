/** What an apply has made and the state does not know of, given to the real engines as `state imports` prints it. */
import assert from "node:assert/strict";
import { engineNames } from "../../operator/engine/names.ts";
import { parseObjects } from "../../operator/engine/state.ts";
import { importBlocks } from "../../operator/state-api/imports.ts";
import { leftovers } from "../../operator/storage/leftovers.ts";
import { type RunnerPod, type RunnerPodOptions, startRunnerPod } from "./pod.ts";

const refused = { verdict: "Refuse", reason: "Protected", message: "the test looks at the plan alone" } as const;

const main = `
  resource "terraform_data" "one" {}
  resource "terraform_data" "many" { for_each = toset(["a b"]) }
`;
const replaced = (version: number) => `
  resource "terraform_data" "deleted_first" { triggers_replace = ${version} }
  resource "terraform_data" "created_first" {
    triggers_replace = ${version}
    lifecycle { create_before_destroy = true }
  }
`;
/** An id that would be a template, if nobody took care. */
const odd = { address: "terraform_data.odd", id: `x"\${1 + 1}$\${2}%{ if true }\\` };

describe("import blocks from a journal", function () {
  this.timeout(90_000);
  const pods: RunnerPod[] = [];
  const run = async (inline: Readonly<Record<string, string>>, options: Omit<RunnerPodOptions, "order">) => {
    const pod = await startRunnerPod({ ...options, order: { source: { inline } } });
    pods.push(pod);
    await pod.ended();
    return pod;
  };
  afterEach(async () => {
    for (const pod of pods.splice(0)) await pod.remove();
  });

  for (const engine of engineNames)
    it(`are planned as imports by ${engine}, and nothing is created`, async () => {
      const first = await run({ "main.tf": main }, { engine });
      const { journal } = first.gateway.memory;
      const left = leftovers({ entries: journal, stored: [], before: [], isCutOff: true });
      assert.deepEqual(left.map(({ address }) => address).toSorted(), [
        'terraform_data.many["a b"]',
        "terraform_data.one",
      ]);
      const more = `resource "terraform_data" "odd" {}\noutput "odd" { value = terraform_data.odd.id }\n`;
      const blocks = importBlocks([
        { run: "shop-network-1", leftovers: [...left, odd, { address: "terraform_data.unknown" }] },
      ]);
      const { gateway, log } = await run(
        { "main.tf": main, "more.tf": more, "imports.tf": blocks },
        { engine, verdict: refused },
      );
      const [plan] = gateway.memory.plans;
      assert.deepEqual(
        plan?.changes?.map(({ action, address }) => `${action} ${address}`),
        ['import terraform_data.many["a b"]', "import terraform_data.odd", "import terraform_data.one"],
        log(),
      );
      assert.deepEqual(plan?.counts, { create: 0, update: 0, replace: 0, delete: 0 });
      assert.ok(gateway.memory.planText?.includes(`+ odd = ${JSON.stringify(odd.id)}`), gateway.memory.planText);
    });

  for (const engine of engineNames)
    it(`are for what a replacement by ${engine} has made, as long as the state has what was there before`, async () => {
      const objectsOf = ({ gateway }: RunnerPod) => parseObjects(gateway.memory.state?.toString() ?? "{}");
      const first = await run({ "main.tf": replaced(1) }, { engine });
      const { state } = first.gateway.memory;
      const second = await run(
        { "main.tf": replaced(2) },
        { engine, ...(state === undefined ? {} : { stored: { state } }) },
      );
      const { journal } = second.gateway.memory;
      const before = objectsOf(first);
      const left = leftovers({ entries: journal, stored: before, before, isCutOff: true });
      const made = objectsOf(second).map(({ address, attributes: { id } }) => ({ address, id, replaces: true }));
      assert.deepEqual(left.toSorted(byAddress), made.toSorted(byAddress), second.log());
      assert.deepEqual(made.map(({ address }) => address).toSorted(), [
        "terraform_data.created_first",
        "terraform_data.deleted_first",
      ]);
      assert.deepEqual(leftovers({ entries: journal, stored: objectsOf(second), before, isCutOff: true }), []);
    });
});

const byAddress = (one: { readonly address: string }, other: { readonly address: string }): number =>
  one.address.localeCompare(other.address);
