/** The API server's audit log: who asked what, of everything that happened in this cluster. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import type { Place } from "./place.ts";

export interface Request {
  readonly verb: string;
  readonly user: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly code: number;
  readonly line: string;
  /** Of whoever asked with a token of a pod. */
  readonly pod: string;
  /** When the API server had it. */
  readonly receivedMs: number;
}

/** A place in the log from which to read on. */
export async function now({ installation: { paths } }: Place): Promise<number> {
  return (await stat(paths.auditLog)).size;
}

const writing = new Set(["create", "update", "patch", "delete", "deletecollection"]);
/** Questions in the form of objects. */
const reviews = new Set(["tokenreviews", "subjectaccessreviews"]);

/** Requests after `from` that wrote something in the journey's namespace, by anybody but people. */
export async function writesSince(place: Place, from: number): Promise<readonly Request[]> {
  const found: Request[] = [];
  for await (const request of requests(place, from)) {
    if (request.namespace !== place.namespace || !writing.has(request.verb)) continue;
    if (request.user.startsWith("system:serviceaccount:terrarium-system:")) found.push(request);
  }
  return found;
}

/** What a pod asked to write, anywhere, in that time; in tokens and rights it may look. */
export async function writesOf(
  place: Place,
  from: number,
  { metadata: { name } }: Pod,
  { since, until }: { readonly since: Date; readonly until: Date },
): Promise<readonly Request[]> {
  const found: Request[] = [];
  for await (const request of requests(place, from)) {
    if (request.pod !== name || !writing.has(request.verb) || reviews.has(request.resource)) continue;
    if (request.receivedMs >= since.getTime() && request.receivedMs <= until.getTime()) found.push(request);
  }
  return found;
}

async function* requests({ installation: { paths } }: Place, from: number): AsyncGenerator<Request> {
  const lines = createInterface({ input: createReadStream(paths.auditLog, { start: from }) });
  for await (const line of lines) {
    // The first line may have been begun before.
    if (!line.startsWith("{") || !line.endsWith("}")) continue;
    const { verb, user, objectRef = {}, responseStatus = {}, requestReceivedTimestamp } = JSON.parse(line);
    const [pod = ""] = user?.extra?.["authentication.kubernetes.io/pod-name"] ?? [];
    const receivedMs = Date.parse(requestReceivedTimestamp);
    yield { verb, user: user?.username ?? "", ...objectRef, code: responseStatus.code ?? 0, line, pod, receivedMs };
  }
}

/** Lines after `from` that hold any of these texts. */
export async function linesWith(place: Place, from: number, texts: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  const lines = createInterface({ input: createReadStream(place.installation.paths.auditLog, { start: from }) });
  for await (const line of lines) if (texts.some((text) => line.includes(text))) found.push(line);
  return found;
}

/** All requests of the operator after `from`, but those that it makes whether or not anything happens. */
export async function operatorRequestsSince(place: Place, from: number): Promise<readonly Request[]> {
  const found: Request[] = [];
  for await (const request of requests(place, from)) {
    if (!request.user.startsWith("system:serviceaccount:terrarium-system:")) continue;
    if (request.verb !== "watch" && request.resource !== "leases") found.push(request);
  }
  return found;
}
