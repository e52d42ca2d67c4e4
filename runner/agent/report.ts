/** The last word: the result to the gateway for as long as it takes, and a short copy where the kubelet finds it. */
import { writeFile } from "node:fs/promises";
import { cutBytes } from "../../operator/engine/diagnostics.ts";
import { parseOutputs } from "../../operator/engine/outputs.ts";
import { MOST_OUTPUTS, type ResultReport, resultReport } from "../../operator/gateway/protocol.ts";
import { TERMINATION_MESSAGE_BYTES } from "../pod-layout.ts";
import { type Bench, sayAway } from "./bench.ts";
import { isDiskFull } from "./disk.ts";
import type { Outcome } from "./ending.ts";
import { GatewayRefused } from "./gateway-client.ts";
import { keyedDigest } from "./inputs.ts";
import { patiently } from "./patience.ts";
import type { Scrubber } from "./scrub.ts";
import type { Told } from "./told.ts";

/** Bytes of texts, each below what the schema of an outcome allows. */
const longest = { message: 1_000, summary: 500, name: 250 } as const;

export function resultOf(
  { order, scrubber }: Pick<Bench, "order" | "scrubber">,
  { outcome, outputsOf, sourceCredentials, plan, driftDigest }: Omit<Told, "type">,
): ResultReport {
  const outputs = outputsOf === undefined ? [] : parseOutputs(outputsOf.toString("utf8"));
  return sendable({
    outcome: scrubbedOutcome(outcome, (text) => scrubber.text(text)),
    outputs: outputs.slice(0, MOST_OUTPUTS).map(({ name, value, type, sensitive }) => ({
      name,
      // A module may show what came from a Secret, or was marked as sensitive, in an output that is not.
      sensitive: sensitive || holdsSecret(value, scrubber),
      digest: keyedDigest({ value, type }, order.digestKey),
    })),
    ...(sourceCredentials === undefined ? {} : { sourceCredentials }),
    ...(plan === undefined ? {} : { plan }),
    ...(driftDigest === undefined ? {} : { driftDigest }),
  });
}

function holdsSecret(value: unknown, scrubber: Scrubber): boolean {
  const text = JSON.stringify(value ?? null);
  return scrubber.text(text) !== text;
}

/** The report as it is where the gateway can take it, and the least that tells the end of the Run where it cannot. */
function sendable(report: ResultReport): ResultReport {
  return resultReport.safeParse(report).success ? report : bareReport(report);
}

/** Resolves to false where the gateway will never take it: the Run has ended without this pod. */
export async function pushResult(bench: Pick<Bench, "gateway" | "printer">, result: ResultReport): Promise<boolean> {
  if (await pushed(bench, result)) return true;
  // What is told beside the end of the Run must not be the reason why its end is not known.
  return result.outcome.diagnostics === undefined ? false : pushed(bench, bareReport(result));
}

async function pushed(bench: Pick<Bench, "gateway" | "printer">, result: ResultReport): Promise<boolean> {
  try {
    await patiently(() => bench.gateway.result(result), { onAway: sayAway(bench) });
    return true;
  } catch (error) {
    if (!(error instanceof GatewayRefused)) throw error;
    bench.printer.say(`the gateway refuses the result (${error.code}): ${error.message}`);
    return false;
  }
}

/** Without anything that was told by others; what is known of outputs stays, since it says which of them are sensitive. */
function bareReport({ outcome, ...rest }: ResultReport): ResultReport {
  const { diagnostics: _diagnostics, revision, ...bare } = outcome;
  return {
    ...rest,
    outcome: {
      ...bare,
      message: cutBytes(bare.message, longest.message),
      reason: cutBytes(bare.reason, 60),
      ...(revision === undefined || revision.length > 300 ? {} : { revision }),
    },
  };
}

/** JSON that stays whole when it is shortened: long parts are left out, the message is cut last. */
export function terminationMessage(outcome: Outcome): string {
  const short = { ...outcome, message: cutBytes(outcome.message, 1_024) };
  const { diagnostics: _diagnostics, ...bare } = short;
  const fits = (text: string) => Buffer.byteLength(text) <= TERMINATION_MESSAGE_BYTES;
  const forms = [short, bare].map((form) => JSON.stringify(form));
  return forms.find(fits) ?? JSON.stringify({ ...bare, message: cutBytes(outcome.message, 200), revision: undefined });
}

export async function writeTermination(path: string, outcome: Outcome): Promise<void> {
  // On a developer's machine there is no such file; in a pod the kubelet made it.
  await writeFile(path, terminationMessage(outcome)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "EACCES" && !isDiskFull(error)) throw error;
  });
}

/** Texts only: digests and names of reasons stay what they are. Cut last, since what replaces a secret may be longer. */
function scrubbedOutcome(outcome: Outcome, scrub: (text: string) => string): Outcome {
  const { diagnostics } = outcome;
  const name = (text: string) => cutBytes(scrub(text), longest.name);
  return {
    ...outcome,
    message: cutBytes(scrub(outcome.message), longest.message),
    ...(diagnostics === undefined
      ? {}
      : {
          diagnostics: diagnostics.map(({ address, summary, file, line }) => ({
            ...(address === undefined ? {} : { address: name(address) }),
            summary: cutBytes(scrub(summary), longest.summary),
            ...(file === undefined ? {} : { file: name(file) }),
            ...(line === undefined ? {} : { line }),
          })),
        }),
  };
}
