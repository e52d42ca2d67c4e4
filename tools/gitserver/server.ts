/**
 * Routes: `PUT /NAME.git` makes a repository (a body `{"username": …, "password": …}` makes it private), `DELETE` removes
 * it, `GET /healthz` answers, and everything below a repository is git's smart protocol.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { serveBackend } from "./backend.ts";
import { type Credentials, Repositories } from "./repositories.ts";

export interface GitServerOptions {
  /** Folder of the repositories. */
  readonly root: string;
  /** `user:password` that making repositories and pushing to public ones takes; absent: nobody is asked. */
  readonly admin?: string;
}

interface Route {
  readonly repository: string;
  /** What follows the repository's name, without the query. */
  readonly rest: string;
}

const repositoryPath = /^\/((?:[A-Za-z0-9_][A-Za-z0-9_.-]*\/){0,3}[A-Za-z0-9_][A-Za-z0-9_.-]*\.git)(\/.*)?$/;
const maxBody = 64 * 1024;

export function createGitServer({ root, admin }: GitServerOptions): Server {
  const repositories = new Repositories(root);
  return createServer((request, response) => {
    handle(repositories, admin, request, response).catch((error: Error) => {
      console.error(`${request.method} ${request.url}: ${error.message}`);
      if (response.headersSent) response.destroy();
      else answer(response, 500, error.message);
    });
  });
}

async function handle(
  repositories: Repositories,
  admin: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://git");
  if (url.pathname === "/healthz") return answer(response, 200, "ok");
  const route = routeOf(url.pathname);
  if (route === undefined) return answer(response, 404, "not a path of a repository (/NAME.git)");
  if (route.rest === "" && (request.method === "PUT" || request.method === "DELETE")) {
    if (admin !== undefined && !carries(request, admin)) return challenge(response);
    if (request.method === "DELETE") await repositories.remove(route.repository);
    else await repositories.create(route.repository, await credentialsIn(request));
    return answer(response, request.method === "PUT" ? 201 : 200, "done");
  }
  if (!(await repositories.has(route.repository))) return answer(response, 404, "no such repository");
  const credentials = await repositories.credentials(route.repository);
  if (!allowed(request, credentials, admin, isPush(route, url))) return challenge(response);
  await serveBackend(repositories.root, `/${route.repository}${route.rest}`, url.search.slice(1), request, response);
}

/** The repository that a path names; nothing that could leave the folder of the repositories. */
export function routeOf(pathname: string): Route | undefined {
  const match = repositoryPath.exec(pathname);
  const repository = match?.[1];
  if (repository === undefined) return undefined;
  const rest = match?.[2] ?? "";
  return rest.split("/").includes("..") ? undefined : { repository, rest };
}

function isPush({ rest }: Route, url: URL): boolean {
  return rest === "/git-receive-pack" || url.searchParams.get("service") === "git-receive-pack";
}

/** The admin may do everything; a private repository asks everybody; a public one asks who pushes, if there is an admin. */
function allowed(
  request: IncomingMessage,
  credentials: Credentials | undefined,
  admin: string | undefined,
  push: boolean,
): boolean {
  if (admin !== undefined && carries(request, admin)) return true;
  if (credentials !== undefined) return carries(request, `${credentials.username}:${credentials.password}`);
  return !push || admin === undefined;
}

function carries(request: IncomingMessage, wanted: string): boolean {
  const given = Buffer.from(/^Basic (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "", "base64");
  const expected = Buffer.from(wanted);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function credentialsIn(request: IncomingMessage): Promise<Credentials | undefined> {
  let body = "";
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > maxBody) throw new Error("the body is too large");
  }
  if (body === "") return undefined;
  const { username, password } = JSON.parse(body) as Partial<Credentials>;
  if (typeof username !== "string" || typeof password !== "string") {
    throw new Error('the body must be {"username": …, "password": …}');
  }
  return { username, password };
}

function challenge(response: ServerResponse): void {
  response.setHeader("WWW-Authenticate", 'Basic realm="git"');
  answer(response, 401, "wrong or missing credentials");
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
