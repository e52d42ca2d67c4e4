/** The last word: the result to the gateway for as long as it takes, and a short copy where the kubelet finds it. */
import { writeFile } from "node:fs/promises";
import { cutBytes } from "../../operator/engine/diagnostics.ts";
import { parseOutputs } from "../../operator/engine/outputs.ts";
import type { ResultReport } from "../../operator/gateway/protocol.ts";
import { TERMINATION_MESSAGE_BYTES } from "../pod-layout.ts";
import { type Bench, sayAway } from "./bench.ts";
import type { Outcome } from "./ending.ts";
import { GatewayRefused } from "./gateway-client.ts";
import { keyedDigest } from "./inputs.ts";
import { patiently } from "./patience.ts";
import type { StoryEnd } from "./story.ts";

const mostOutputs = 256;

export function resultOf(
  { order, scrubber }: Bench,
  { outcome, outputsOf, sourceCredentials }: StoryEnd,
): ResultReport {
  const outputs = outputsOf === undefined ? [] : parseOutputs(outputsOf.toString("utf8"));
  return {
    outcome: scrubbedOutcome(outcome, (text) => scrubber.text(text)),
    outputs: outputs.slice(0, mostOutputs).map(({ name, value, type, sensitive }) => ({
      name,
      sensitive,
      digest: keyedDigest({ value, type }, order.digestKey),
    })),
    ...(sourceCredentials === undefined ? {} : { sourceCredentials }),
  };
}

/** Resolves to false where the gateway will never take it: the Run has ended without this pod. */
export async function pushResult(bench: Pick<Bench, "gateway" | "printer">, result: ResultReport): Promise<boolean> {
  try {
    await patiently(() => bench.gateway.result(result), { onAway: sayAway(bench) });
    return true;
  } catch (error) {
    if (!(error instanceof GatewayRefused)) throw error;
    bench.printer.say(`the gateway refuses the result (${error.code}): ${error.message}`);
    return false;
  }
}

/** JSON that stays whole when it is shortened: long parts are left out, the message is cut last. */
export function terminationMessage(outcome: Outcome): string {
  const short = { ...outcome, message: cutBytes(outcome.message, 1_024) };
  const { diagnostics: _diagnostics, ...plain } = short;
  const { journal: _journal, ...bare } = plain;
  const fits = (text: string) => Buffer.byteLength(text) <= TERMINATION_MESSAGE_BYTES;
  const forms = [short, plain, bare].map((form) => JSON.stringify(form));
  return forms.find(fits) ?? JSON.stringify({ ...bare, message: cutBytes(outcome.message, 200), revision: undefined });
}

export async function writeTermination(path: string, outcome: Outcome): Promise<void> {
  // On a developer's machine there is no such file; in a pod the kubelet made it.
  await writeFile(path, terminationMessage(outcome)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "EACCES") throw error;
  });
}

/** Texts only: digests and names of reasons stay what they are. */
function scrubbedOutcome(outcome: Outcome, scrub: (text: string) => string): Outcome {
  const { diagnostics, journal } = outcome;
  return {
    ...outcome,
    message: cutBytes(scrub(outcome.message), 1_000),
    ...(diagnostics === undefined
      ? {}
      : {
          diagnostics: diagnostics.map((one) => ({
            ...one,
            summary: scrub(one.summary),
            ...(one.address === undefined ? {} : { address: scrub(one.address) }),
          })),
        }),
    ...(journal === undefined
      ? {}
      : {
          journal: {
            ...journal,
            leftovers: journal.leftovers.map(({ address, id }) => ({
              address: scrub(address),
              ...(id === undefined ? {} : { id: scrub(id) }),
            })),
          },
        }),
  };
}
