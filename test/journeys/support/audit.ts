/** The API server's audit log: who asked what, of everything that happened in this cluster. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
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
}

/** A place in the log from which to read on. */
export async function now({ installation: { paths } }: Place): Promise<number> {
  return (await stat(paths.auditLog)).size;
}

const writing = new Set(["create", "update", "patch", "delete"]);

/** Requests after `from` that wrote something in the journey's namespace, by anybody but people. */
export async function writesSince(place: Place, from: number): Promise<readonly Request[]> {
  const found: Request[] = [];
  for await (const request of requests(place, from)) {
    if (request.namespace !== place.namespace || !writing.has(request.verb)) continue;
    if (request.user.startsWith("system:serviceaccount:terrarium-system:")) found.push(request);
  }
  return found;
}

async function* requests({ installation: { paths } }: Place, from: number): AsyncGenerator<Request> {
  const lines = createInterface({ input: createReadStream(paths.auditLog, { start: from }) });
  for await (const line of lines) {
    // The first line may have been begun before.
    if (!line.startsWith("{") || !line.endsWith("}")) continue;
    const { verb, user, objectRef = {}, responseStatus = {} } = JSON.parse(line);
    yield { verb, user: user?.username ?? "", ...objectRef, code: responseStatus.code ?? 0, line };
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
