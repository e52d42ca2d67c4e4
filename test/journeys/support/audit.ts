/** The API server's audit log: who asked what, of everything that happened in this cluster. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
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

/** A place in the log from which to read on. The API server renames a file that is full, and begins another one. */
export interface Position {
  readonly inode: number;
  readonly offset: number;
}

export async function now({ installation: { paths } }: Place): Promise<Position> {
  const { ino: inode, size: offset } = await stat(paths.auditLog);
  return { inode, offset };
}

const writing = new Set(["create", "update", "patch", "delete", "deletecollection"]);
/** Questions in the form of objects. */
const reviews = new Set(["tokenreviews", "subjectaccessreviews"]);

/** Requests after `from` that wrote something in the journey's namespace, by anybody but people. */
export async function writesSince(place: Place, from: Position): Promise<readonly Request[]> {
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
  from: Position,
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

async function* requests(place: Place, from: Position): AsyncGenerator<Request> {
  for await (const line of linesSince(place, from)) {
    // The first line may have been begun before.
    if (!line.startsWith("{") || !line.endsWith("}")) continue;
    const { verb, user, objectRef = {}, responseStatus = {}, requestReceivedTimestamp } = JSON.parse(line);
    const [pod = ""] = user?.extra?.["authentication.kubernetes.io/pod-name"] ?? [];
    const receivedMs = Date.parse(requestReceivedTimestamp);
    yield { verb, user: user?.username ?? "", ...objectRef, code: responseStatus.code ?? 0, line, pod, receivedMs };
  }
}

/** Lines after `from` that hold any of these texts. */
export async function linesWith(place: Place, from: Position, texts: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const line of linesSince(place, from)) if (texts.some((text) => line.includes(text))) found.push(line);
  return found;
}

async function* linesSince({ installation: { paths } }: Place, { inode, offset }: Position): AsyncGenerator<string> {
  const files = await filesOf(paths.auditLog);
  const first = files.findIndex((file) => file.inode === inode);
  if (first === -1) throw new Error(`${paths.auditLog} has gone on so far that its beginning was thrown away`);
  for (const [index, { path }] of files.slice(first).entries()) {
    yield* createInterface({ input: createReadStream(path, { start: index === 0 ? offset : 0 }) });
  }
}

/** The files of the log, the oldest first: those that are full have the time in their names, as in `audit-2026-01-01T00-00-00.000.log`. */
async function filesOf(log: string): Promise<readonly { readonly path: string; readonly inode: number }[]> {
  const full = (await readdir(dirname(log))).filter((name) => name.startsWith("audit-")).toSorted();
  const paths = [...full, basename(log)].map((name) => join(dirname(log), name));
  return Promise.all(paths.map(async (path) => ({ path, inode: (await stat(path)).ino })));
}

/** All requests of the operator after `from`, but those that it makes whether or not anything happens. */
export async function operatorRequestsSince(place: Place, from: Position): Promise<readonly Request[]> {
  const found: Request[] = [];
  for await (const request of requests(place, from)) {
    if (!request.user.startsWith("system:serviceaccount:terrarium-system:")) continue;
    if (request.verb !== "watch" && request.resource !== "leases") found.push(request);
  }
  return found;
}
