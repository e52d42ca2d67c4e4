/** What an attempt tells at its end, also where it ends by an error. */
import { EngineLost } from "../engine-client.ts";
import { type applyPlan, lostApply } from "./apply-step.ts";
import type { Bench } from "./bench.ts";
import type { Checked } from "./check-step.ts";
import { diskFull, isDiskFull } from "./disk.ts";
import { Ended, failed, type Outcome } from "./ending.ts";
import { cut } from "./engine-failure.ts";
import type { FetchedSource } from "./source.ts";

/** Either the Run has ended, or its plan waits and other pods go on. */
export type StoryEnd = Told | { readonly type: "held" };

export interface Told {
  readonly type: "told";
  readonly outcome: Outcome;
  /** The state whose outputs count; absent where nothing changed for the better. */
  readonly outputsOf?: Buffer | undefined;
  readonly sourceCredentials?: FetchedSource["sourceCredentials"];
  /** What a Check has found. */
  readonly plan?: Checked["plan"];
  readonly driftDigest?: Checked["driftDigest"];
}

export const told = (outcome: Outcome): Told => ({ type: "told", outcome });

/** After an apply: outputs count only where it went through. */
export function finished(end: Awaited<ReturnType<typeof applyPlan>>, revision: { readonly revision?: string }): Told {
  const { outcome, state } = end;
  const outputs = outcome.result === "Applied" ? { outputsOf: state } : {};
  return { type: "told", outcome: { ...outcome, ...revision }, ...outputs };
}

/** What went wrong, in the words of a Run. What may have been applied is told first. */
export async function endBy(error: unknown, bench: Bench): Promise<Told> {
  const lost = bench.relay.unreadable;
  if (lost !== undefined && (await bench.spool.read("applying")) === undefined) return told(stateLost(lost.message));
  if (error instanceof Ended) return told(error.outcome);
  const message = error instanceof Error ? error.message : String(error);
  const begun = await bench.spool.read("applying");
  if (begun !== undefined) return finished(await lostApply(bench, begun.cwd, message), {});
  if (isDiskFull(error)) return told(diskFull(message));
  if (bench.ending.aborted) {
    return outcomeOnly(
      "RunnerLost",
      "the pod was told to end (drain, eviction or deletion) before anything was applied",
    );
  }
  if (error instanceof EngineLost) return outcomeOnly("RunnerLost", `${message} before anything was applied`);
  bench.printer.say(error instanceof Error ? (error.stack ?? message) : message);
  return outcomeOnly("InternalError", message);
}

/** Whatever the engine said about it: that there is no state to work from is all that matters, and no repetition mends it. */
function stateLost(why: string): Outcome {
  const message = cut(`the stored state cannot be read (${why}): nothing was applied or destroyed`);
  return { result: "Failed", reason: "StateLost", message, retry: "Never" };
}

function outcomeOnly(reason: "RunnerLost" | "InternalError", message: string): Told {
  return told(failed(reason, message).outcome);
}
