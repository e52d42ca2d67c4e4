/** `npm run demo -- --act 2`: the life of a shop that runs. A change waits for a person, drift is put right, an environment ends by itself. */
import { styleText } from "node:util";
import { parseDocument } from "yaml";
import type { Run } from "../../operator/api/run.ts";
import type { Kubectl } from "./kubectl.ts";
import { type WatchedEnvironment, watchFor } from "./progress.ts";
import { shop } from "./shop.ts";

type Say = (text: string) => void;

interface Stage {
  readonly kubectl: Kubectl;
  readonly say: Say;
}

const MINUTE_MS = 60_000;
const popUp = { name: "pop-up", namespace: shop.namespace } as const;

/** The shop must be Ready. It is left as it was found, with more plants. */
export async function secondAct(kubectl: Kubectl, say: Say): Promise<void> {
  const stage = { kubectl, say };
  const before = await watchFor(kubectl, shop, isAsDeclared, 3 * MINUTE_MS);
  // Also where somebody has sold more meanwhile, a plan is to wait.
  const more = Number(outputOf(before, "plants") ?? 100) + 20;
  await approval(stage, more);
  await drift(stage, more);
  await ending(stage);
}

async function approval({ kubectl, say }: Stage, more: number): Promise<void> {
  title(say, "A change that waits for a person");
  await patchShop(kubectl, { approval: { required: 1 }, components: [plants(more)] });
  say(`  spec.approval asks for one person, and the catalog shall have ${more} plants`);
  const approver = (await kubectl.run(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"])).trim();
  const asked = new Set<string>();
  for (;;) {
    const news = (found: WatchedEnvironment) => waitingIn(found, asked).length > 0 || isAsDeclared(found);
    const found = await watchFor(kubectl, shop, news, 3 * MINUTE_MS);
    const waiting = waitingIn(found, asked);
    for (const { name, run = "", message = "" } of waiting) {
      say(`  ${name}: ${message}`);
      await approve({ kubectl, say }, run, approver);
      asked.add(run);
    }
    if (waiting.length === 0 && asked.size === 0)
      throw new Error("no plan has waited for a person: was the spec edited meanwhile?");
    if (waiting.length === 0) {
      say(`  applied, exactly as ${approver} approved it: the shop sells ${outputOf(found, "plants")} plants`);
      return;
    }
  }
}

function waitingIn({ status }: WatchedEnvironment, asked: ReadonlySet<string>) {
  const waiting = (status?.components ?? []).filter(({ state }) => state === "AwaitingApproval");
  return waiting.filter(({ run }) => run !== undefined && !asked.has(run));
}

/** As `kubectl terrarium approve` does it: one object, which names exactly the plan that was shown. */
async function approve({ kubectl, say }: Stage, name: string, approver: string): Promise<void> {
  const run = await kubectl.get<Run>("runs.terrarium.dev", name, shop.namespace);
  if (run === undefined) throw new Error(`the Run ${name}, whose plan waits, is gone`);
  const spec = {
    environment: shop.name,
    run: { name, uid: run.metadata.uid },
    planDigest: run.status?.plan?.digest,
    decision: "Approve",
    approver,
    reason: "twenty more plants are fine",
  };
  const ownerReferences = [{ apiVersion: run.apiVersion, kind: run.kind, ...spec.run }];
  const metadata = { name: `${name}-demo`, namespace: shop.namespace, ownerReferences };
  say(
    styleText("gray", `  $ kubectl create -f -    # an Approval of ${spec.planDigest?.slice(0, 19)}… by ${approver}`),
  );
  const approval = { apiVersion: "terrarium.dev/v1alpha1", kind: "Approval", metadata, spec };
  await kubectl.run(["create", "-f", "-"], JSON.stringify(approval));
}

async function drift({ kubectl, say }: Stage, more: number): Promise<void> {
  title(say, "Somebody deletes the shop's Service by hand");
  await patchShop(kubectl, { drift: { interval: "1m", action: "Correct" }, components: [plants(more)] });
  await watchFor(kubectl, shop, isAsDeclared, 3 * MINUTE_MS);
  say(styleText("gray", `  $ kubectl -n ${shop.objects} delete service shop`));
  await kubectl.run(["delete", "service", "shop", "-n", shop.objects]);
  say("  spec.drift looks once a minute, and puts right what it finds");
  const found = await watchFor(kubectl, shop, (one) => conditionOf(one, "Drifted")?.status === "True", 4 * MINUTE_MS);
  say(`  found: ${conditionOf(found, "Drifted")?.message}`);
  await watchFor(
    kubectl,
    shop,
    (one) => isAsDeclared(one) && conditionOf(one, "Drifted")?.status !== "True",
    3 * MINUTE_MS,
  );
  say((await kubectl.run(["get", "service", "shop", "-n", shop.objects])).replace(/^/gm, "  ").trimEnd());
  await patchShop(kubectl, { components: [plants(more)] });
}

async function ending({ kubectl, say }: Stage): Promise<void> {
  title(say, "An environment that ends by itself");
  await kubectl.run(["delete", "environment", popUp.name, "-n", popUp.namespace, "--ignore-not-found"]);
  await kubectl.apply(popUpManifest);
  say("  pop-up has spec.lifetime.ttl: 1m");
  // On a slow machine its minute may be over before.
  const opened = await watchFor(kubectl, popUp, (one) => isAsDeclared(one) || hasEnded(one), 4 * MINUTE_MS);
  if (isAsDeclared(opened)) say("  pop-up is Ready");
  const expired = await watchFor(kubectl, popUp, hasEnded, 4 * MINUTE_MS);
  say(`  ${conditionOf(expired, "Ready")?.message}`);
  say("  What it made is gone. The object stays, so that no GitOps tool makes it anew; then we take it away, too.");
  await kubectl.run(["delete", "environment", popUp.name, "-n", popUp.namespace]);
}

const popUpManifest = String(
  parseDocument(`
apiVersion: terrarium.dev/v1alpha1
kind: Environment
metadata: {name: ${popUp.name}, namespace: ${popUp.namespace}}
spec:
  lifetime: {ttl: 1m, warnBefore: 1m}
  source:
    inline:
      main.tf: |
        resource "terraform_data" "stall" { input = "flowers" }
  components:
    - name: stall
      terraform: {}
`),
);

/** As a person of their own: what this act adds to the spec goes when it no longer says so. */
async function patchShop(kubectl: Kubectl, spec: object): Promise<void> {
  const manifest = {
    apiVersion: "terrarium.dev/v1alpha1",
    kind: "Environment",
    metadata: { name: shop.name, namespace: shop.namespace },
    spec,
  };
  const flags = ["--server-side", "--force-conflicts", "--field-manager=terrarium-demo-act-2", "-f", "-"];
  await kubectl.run(["apply", ...flags], JSON.stringify(manifest));
}

const plants = (count: number) => ({
  name: "catalog",
  terraform: { variables: [{ name: "plants", value: count }] },
});

const conditionOf = ({ status }: WatchedEnvironment, type: string) =>
  status?.conditions?.find((condition) => condition.type === type);
const outputOf = ({ status }: WatchedEnvironment, name: string) =>
  status?.outputs?.find((output) => output.name === name)?.value;

function isAsDeclared(environment: WatchedEnvironment): boolean {
  return (
    conditionOf(environment, "Ready")?.status === "True" && conditionOf(environment, "Reconciling")?.status !== "True"
  );
}

function hasEnded(environment: WatchedEnvironment): boolean {
  const gone = environment.status?.components?.every(({ state }) => state === "Destroyed") ?? false;
  return conditionOf(environment, "Ready")?.reason === "Expired" && gone;
}

function title(say: Say, text: string): void {
  say(styleText("bold", `\n${text}`));
}
