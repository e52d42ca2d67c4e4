/** `npm run demo`: from nothing to a running shop, told step by step. */
import { styleText } from "node:util";
import { MissingProgram } from "../bundle.ts";
import { type Plan, runPlan } from "../cluster/steps.ts";
import { showNextSteps, showResult } from "./ending.ts";
import type { Kubectl } from "./kubectl.ts";
import { chartValues, installOperator, operatorNamespace } from "./operator.ts";
import { type DemoOptions, help, parseOptions, UsageError } from "./options.ts";
import { environmentFor, openPlace, type PlacedImages, placeImages } from "./place.ts";
import { createScreen, NotReady, watchUntilReady } from "./progress.ts";
import { secondAct } from "./second-act.ts";
import { applyShop, pushModules, shop, startGitServer } from "./shop.ts";

const readyWithinMs = 10 * 60_000;

async function demo({ place, engine, acts }: DemoOptions): Promise<void> {
  const started = Date.now();
  const local = place.type === "local" ? place.name : undefined;
  console.log(styleText("bold", local === undefined ? "The cluster" : `The local cluster ${local}`));
  const kubectl = await openPlace(place, (text) => console.log(`  ${text}`));

  console.log(styleText("bold", "\nTerrarium and the shop's git server"));
  const { images, commit } = await install(place, kubectl);

  console.log(styleText("bold", "\nexamples/shop/environment.yaml"));
  await applyShop(kubectl, images.gitserver, engine);
  const ready = await watchUntilReady(kubectl, { ...shop, commit }, createScreen(process.stdout), readyWithinMs);

  await showResult(kubectl, ready, console.log);
  if (acts === 2) await secondAct(kubectl, console.log);
  showNextSteps(environmentFor(place), local, console.log);
  const seconds = Math.round((Date.now() - started) / 1000);
  const time = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  console.log(styleText("green", `\nFive components, one manifest, ${time}.`));
}

interface Installed {
  readonly images: PlacedImages;
  /** Of the modules, as the git server has them. */
  readonly commit: string;
}

async function install(place: DemoOptions["place"], kubectl: Kubectl): Promise<Installed> {
  let images: PlacedImages | undefined;
  let commit = "";
  const built = (): PlacedImages => {
    if (images === undefined) throw new Error("the images were not built");
    return images;
  };
  const plan: Plan = [
    {
      title: "Images of this checkout",
      run: async (progress) => {
        images = await placeImages(place, kubectl, progress);
      },
    },
    [
      { title: "Terrarium, from charts/terrarium", run: () => installOperator(kubectl, chartValues(built())) },
      {
        title: "Git server with the shop's modules",
        run: async (progress) => {
          await startGitServer(kubectl, built().gitserver);
          commit = await pushModules(kubectl);
          progress(`examples/shop/infra is commit ${commit.slice(0, 12)}`);
        },
      },
    ],
  ];
  await runPlan(plan, "auto");
  return { images: built(), commit };
}

function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\n\n${help}`;
  if (error instanceof MissingProgram) return error.message;
  if (error instanceof NotReady) {
    return `${error.message}\n\nLook at:
  kubectl -n ${shop.namespace} describe environment ${shop.name}
  kubectl -n ${shop.namespace} get runs; kubectl -n ${shop.namespace} logs POD -c agent
  kubectl -n ${operatorNamespace} logs deployment/terrarium-operator
then run the demo again: it goes on from here.`;
  }
  return error instanceof Error ? error.message : String(error);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) console.log(help);
  else await demo(options);
} catch (error) {
  console.error(styleText("red", `\n${explain(error)}`));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
