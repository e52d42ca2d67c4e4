/** `kubectl terrarium …` as a person types it: the bundled plugin, found by the real kubectl. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { bundlePlugin } from "../../../tools/bundle.ts";
import { awaitCondition } from "../../../tools/cluster/await-condition.ts";
import { patience } from "./patience.ts";
import type { Place } from "./place.ts";

export interface Spoken {
  readonly code: number;
  readonly out: string;
}

/** A command that goes on. */
export interface Speaking {
  /** Waits until it has printed something like that. */
  readonly until: (pattern: RegExp) => Promise<void>;
  readonly ended: Promise<Spoken>;
}

export class Plugin {
  readonly #folder: string;

  /** On a PATH of its own. */
  static async install(): Promise<Plugin> {
    const folder = await mkdtemp(join(tmpdir(), "terrarium-plugin-"));
    await bundlePlugin(join(folder, "kubectl-terrarium"), "test");
    return new Plugin(folder);
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }

  say(place: Place, ...args: readonly string[]): Promise<Spoken> {
    return this.begin(place, ...args).ended;
  }

  begin({ installation, namespace }: Place, ...args: readonly string[]): Speaking {
    const { binDir, kubeconfig } = installation.paths;
    const PATH = [binDir, this.#folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
    const env = { PATH, KUBECONFIG: kubeconfig, HOME: this.#folder };
    const child = spawn(join(binDir, "kubectl"), ["terrarium", ...args, "-n", namespace], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
    }
    const ended = new Promise<Spoken>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code: code ?? -1, out }));
    });
    const until = (pattern: RegExp) =>
      awaitCondition(`kubectl terrarium ${args.join(" ")} to print ${pattern}`, 60 * patience, async () => {
        return pattern.test(out) || `it printed: ${out}`;
      });
    return { until, ended };
  }
}
