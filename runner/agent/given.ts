/**
 * An agent that is started again before an apply reads its source and inputs anew, while the launcher answers for what it did
 * with the old ones: a plan must not be told, archived and applied as that of inputs which it was not made from.
 */
import type { EngineClient } from "../engine-client.ts";
import type { Bench } from "./bench.ts";
import { failed } from "./ending.ts";
import { type Inputs, inputsDigest, keyedDigest } from "./inputs.ts";
import type { FetchedSource } from "./source.ts";
import { treeDigest } from "./tree.ts";

/** Throws Ended where the engine has begun with something else than what is there now. */
export async function mustBeAsGiven(bench: Bench, source: FetchedSource, inputs: Inputs): Promise<void> {
  const now = await digestOf(bench, source, inputs);
  const before = await bench.spool.read("given");
  if (before === now) return;
  if (before !== undefined) await mustNotHaveBegun(bench);
  await bench.spool.write("given", now);
}

async function digestOf({ order }: Bench, { revision, root }: FetchedSource, inputs: Inputs): Promise<string> {
  const source = revision ?? (await treeDigest(root));
  return keyedDigest({ source, inputs: inputsDigest(inputs, order.digestKey) }, order.digestKey);
}

async function mustNotHaveBegun(bench: Bench): Promise<void> {
  const client = await bench.engine;
  const { running, finished = [] } = client.hello ?? {};
  if (running === undefined && finished.length === 0) return;
  if (running !== undefined) await stop(client, running);
  throw failed("RunnerLost", "the inputs changed while the agent was restarted: nothing was applied");
}

/** Nobody has a use for what comes of it. An engine gives its lock back to an agent that still listens. */
async function stop(client: EngineClient, running: string): Promise<void> {
  if (running === "prepare") return void (await client.prepare(running));
  client.signal(running, "SIGTERM");
  // The launcher knows this command: what is said here starts nothing.
  await client.run({ id: running, args: [], env: {}, cwd: "/", timeoutMs: 1, graceMs: 1 }, () => {});
}
