import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";

/** How this tool itself reaches an API server: as its administrator. */
export interface ApiConnection {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface ApiAnswer {
  /** 0 when there was no answer; `body` then says why. */
  readonly status: number;
  readonly body: string;
}

const DEADLINE_MS = 5_000;

export async function adminConnection(url: string, pkiDir: string): Promise<ApiConnection> {
  const [ca, cert, key] = await Promise.all(
    ["ca.crt", "admin.crt", "admin.key"].map((file) => readFile(join(pkiDir, file), "utf8")),
  );
  if (ca === undefined || cert === undefined || key === undefined) throw new Error(`no certificates in ${pkiDir}`);
  return { url, ca, cert, key };
}

/** One request; a server that does not answer is an answer, too, since callers wait for servers to start. */
export function apiRequest(connection: ApiConnection, method: string, path: string, body?: string): Promise<ApiAnswer> {
  const contentType = method === "PATCH" ? "application/apply-patch+yaml" : "application/json";
  return new Promise((resolve) => {
    const outgoing = request(
      new URL(path, connection.url),
      {
        method,
        ca: connection.ca,
        cert: connection.cert,
        key: connection.key,
        agent: false,
        timeout: DEADLINE_MS,
        headers: body === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", (error) => resolve({ status: 0, body: error.message }));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${DEADLINE_MS / 1000} s`)));
    outgoing.on("error", (error) => resolve({ status: 0, body: error.message }));
    outgoing.end(body);
  });
}

/** Server-side apply of one object at its path. */
export async function applyObject(connection: ApiConnection, path: string, object: object): Promise<void> {
  const target = `${path}?fieldManager=local-cluster&force=true`;
  const answer = await apiRequest(connection, "PATCH", target, JSON.stringify(object));
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`PATCH ${path}: ${answer.status} ${answer.body}`);
}
