/** A git server over HTTP, for the demo and the tests: real repositories, git's own http-backend, optional passwords. */
import { mkdirSync } from "node:fs";
import { createGitServer } from "./server.ts";

const root = process.env.GITSERVER_ROOT ?? "/repositories";
const port = Number(process.env.GITSERVER_PORT ?? "8080");
const admin = process.env.GITSERVER_ADMIN;

mkdirSync(root, { recursive: true });
const server = createGitServer({ root, ...(admin === undefined ? {} : { admin }) });
server.listen(port, () => console.log(`serving the repositories in ${root} on port ${port}`));
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    server.close();
    server.closeIdleConnections();
  });
}
