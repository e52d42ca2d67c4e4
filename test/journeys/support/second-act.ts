/** The second act of the demo, as `npm run demo -- --act 2` plays it, with somebody who looks on. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { Environment } from "../../../operator/api/environment.ts";
import type { Stored } from "../../../operator/cluster/ports.ts";
import { ENVIRONMENTS } from "../../../operator/cluster/resources.ts";
import { type Aim, Kubectl } from "../../../tools/demo/kubectl.ts";
import { secondAct } from "../../../tools/demo/second-act.ts";
import { shop } from "../../../tools/demo/shop.ts";
import type { Installation } from "./installation.ts";

export interface Played {
  /** What the act says, without its colours. */
  readonly told: string;
  /** The environment that ends by itself: when the act is about to take it away, and a while later. */
  readonly ended: readonly Stored<Environment>[];
}

const whileMs = 5_000;

export async function playSecondAct({ client, paths }: Pick<Installation, "client" | "paths">): Promise<Played> {
  const told: string[] = [];
  const ended: Stored<Environment>[] = [];
  const look = async (name: string) => ended.push(await client.get<Environment>(ENVIRONMENTS, shop.namespace, name));
  const kubectl = new WatchedKubectl(aimAt(paths), async (name) => {
    await look(name);
    await pause(whileMs);
    await look(name);
  });
  await secondAct(kubectl, (text) => told.push(stripVTControlCharacters(text)));
  return { told: told.join("\n"), ended };
}

function aimAt({ binDir, kubeconfig }: Installation["paths"]): Aim {
  const flags = ["--kubeconfig", kubeconfig];
  const programs = { kubectlPath: join(binDir, "kubectl"), helmPath: join(binDir, "helm") };
  return { ...programs, kubectlFlags: flags, helmFlags: flags };
}

/** Lets somebody look at an Environment that is there before it deletes it. */
class WatchedKubectl extends Kubectl {
  readonly #look: (name: string) => Promise<void>;

  constructor(aim: Aim, look: (name: string) => Promise<void>) {
    super(aim);
    this.#look = look;
  }

  override async run(args: readonly string[], input?: string): Promise<string> {
    const [verb, kind, name = ""] = args;
    const mayBeAbsent = args.includes("--ignore-not-found");
    if (verb === "delete" && kind === "environment" && !mayBeAbsent) await this.#look(name);
    return super.run(args, input);
  }
}
