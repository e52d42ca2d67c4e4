/** One request through `git http-backend`, which speaks CGI (RFC 3875): headers, an empty line, the body. */
import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";

const separator = /\r?\n\r?\n/;
const maxHead = 16 * 1024;

/** Resolves when the answer is written. Rejects when git could not be started or said nothing sensible. */
export function serveBackend(
  root: string,
  path: string,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const child = spawn("git", ["http-backend"], {
    env: { ...variables(request), GIT_PROJECT_ROOT: root, PATH_INFO: path, QUERY_STRING: query },
    stdio: ["pipe", "pipe", "pipe"],
  });
  request.pipe(child.stdin);
  // git may answer before it has read everything, as it does when it refuses.
  child.stdin.on("error", () => request.unpipe(child.stdin));
  response.once("close", () => child.kill());
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(-2000);
  });
  let head: Buffer | undefined = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (head !== undefined) {
      head = Buffer.concat([head, chunk]);
      const body = writeHead(head, response);
      if (body === undefined) {
        if (head.length > maxHead) child.kill();
        return;
      }
      head = undefined;
      chunk = body;
    }
    if (!response.write(chunk)) {
      child.stdout.pause();
      response.once("drain", () => child.stdout.resume());
    }
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (complaint !== "") console.error(`${request.method} ${path}: ${complaint.trim()}`);
      if (head !== undefined) return reject(new Error(`git http-backend ended with ${code ?? signal} and no answer`));
      response.end();
      resolve();
    });
  });
}

function variables(request: IncomingMessage): Record<string, string> {
  const { headers } = request;
  const optional = {
    CONTENT_TYPE: headers["content-type"],
    CONTENT_LENGTH: headers["content-length"],
    HTTP_CONTENT_ENCODING: headers["content-encoding"],
    GIT_PROTOCOL: headers["git-protocol"]?.toString(),
    PATH: process.env.PATH,
    HOME: process.env.HOME,
  };
  const given = Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(given),
    GIT_HTTP_EXPORT_ALL: "1",
    REQUEST_METHOD: request.method ?? "GET",
    REMOTE_ADDR: request.socket.remoteAddress ?? "",
    // Whoever is not allowed was turned away before; git lets only named users push.
    REMOTE_USER: "git",
  };
}

/** Sends status and headers once they are complete, and gives what came after them. */
function writeHead(head: Buffer, response: ServerResponse): Buffer | undefined {
  const text = head.toString("latin1");
  const end = separator.exec(text);
  if (end === null) return undefined;
  for (const line of text.slice(0, end.index).split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === "status") response.statusCode = Number.parseInt(value, 10);
    else if (colon > 0) response.setHeader(name, value);
  }
  return head.subarray(end.index + end[0].length);
}
