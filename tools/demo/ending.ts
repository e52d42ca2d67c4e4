/** What a person sees when the shop is Ready: what the operator says, what really exists, and what to try next. */
import { styleText } from "node:util";
import type { Kubectl } from "./kubectl.ts";
import type { WatchedEnvironment } from "./progress.ts";
import { gitNamespace, shop } from "./shop.ts";

type Say = (text: string) => void;

const SECOND_ACT = [
  "the shop is to sell more plants: the plan waits, is approved, and exactly that plan is applied",
  "somebody deletes the shop's Service by hand: that is found within a minute, and put right",
  "an environment that lives for a minute: all that it made goes by itself, and the object stays",
] as const;

export async function showResult(kubectl: Kubectl, environment: WatchedEnvironment, say: Say): Promise<void> {
  const show = async (title: string, args: readonly string[]) => {
    say(styleText("bold", `\n${title}`));
    say(styleText("gray", `$ kubectl ${args.join(" ")}`));
    say((await kubectl.run(args)).trimEnd());
  };
  await show("The environment", ["get", "environments", "-n", shop.namespace]);
  say(styleText("bold", "\nIts components"));
  say(table((environment.status?.components ?? []).map(({ name, state, run = "" }) => [name, state, run])));
  say(styleText("bold", "\nIts outputs"));
  const outputs = environment.status?.outputs ?? [];
  say(
    table(
      outputs.map(({ name, value, sensitive }) => [name, sensitive ? "(sensitive: only in the Secret)" : text(value)]),
    ),
  );
  await show("The runs that made it", ["get", "runs", "-n", shop.namespace]);
  await show("What they made", ["get", "deployments,services,configmaps,networkpolicies", "-n", shop.objects]);
  await show("What customers do there", ["logs", "deployment/monitor", "-n", shop.objects, "--tail=3"]);
}

export function showNextSteps(setup: string, local: string | undefined, say: Say): void {
  const flag = local === undefined || local === "terrarium" ? "" : ` -- --name ${local}`;
  const lines = [
    ["Look around", setup],
    ["", `kubectl -n ${shop.namespace} describe environment ${shop.name}`],
    [
      "",
      `kubectl -n ${shop.namespace} get secret shop-outputs-sensitive -o jsonpath='{.data.database_url}' | base64 -d; echo`,
    ],
    ["Sell more plants", `edit plants in examples/shop/environment.yaml (100 → 120), then: npm run demo${flag}`],
    ["Change a module", `edit examples/shop/infra, then: npm run demo${flag}     # pushes it; the branch moves`],
    ["The second act", `npm run demo -- --act 2${flag.replace(" --", "")}    # about four minutes, in three scenes:`],
    ...SECOND_ACT.map((scene) => ["", `  ${scene}`]),
    ["Delete the shop", `kubectl -n ${shop.namespace} delete environment ${shop.name}    # destroys in reverse order`],
    ...takeAway(local, flag),
  ];
  say(styleText("bold", "\nWhat now"));
  for (const [title = "", text = ""] of lines) say(`  ${styleText("cyan", title.padEnd(17))} ${text}`);
  if (local === undefined) say("  Delete the shop before you uninstall: only the operator can destroy what it made.");
}

/** The parts for the whole cluster would outlive the namespaces: the rights of the shop's deployer, definitions, Terrarium itself. */
function takeAway(local: string | undefined, flag: string): readonly (readonly string[])[] {
  if (local !== undefined) return [["Take all away", `npm run cluster down${flag}`]];
  return [
    ["Take all away", "as docs/operations.md#uninstall says (all Environments of the cluster go), and then:"],
    ["", `kubectl delete namespace ${gitNamespace}; kubectl delete --ignore-not-found -f examples/shop/team.yaml`],
  ];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   ")}`.trimEnd())
    .join("\n");
}

function text(value: unknown): string {
  if (value === undefined) return "(only in the ConfigMap: it is long)";
  return typeof value === "string" ? value : JSON.stringify(value);
}
