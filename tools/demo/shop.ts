/** The shop of examples/shop: its git repository, what its namespace holds, and the Environment. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, parseAllDocuments } from "yaml";
import { ANNOTATIONS } from "../../operator/api/names.ts";
import { checkout } from "../bundle.ts";
import { createRepository, pushCommit } from "../gitserver/client.ts";
import type { Kubectl } from "./kubectl.ts";
import { isStalled, type WatchedEnvironment } from "./progress.ts";

export const shop = { name: "shop", namespace: "team-shop", objects: "shop-live" } as const;
export const gitNamespace = "terrarium-git";
const repository = "shop/infra.git";

/** Starts the git server and waits until it answers. */
export async function startGitServer(kubectl: Kubectl, image: string): Promise<void> {
  const documents = await manifests("tools/gitserver/manifests.yaml");
  for (const document of documents) {
    if (document.get("kind") === "Deployment")
      document.setIn(["spec", "template", "spec", "containers", 0, "image"], image);
  }
  await kubectl.apply(String(documents.find((document) => document.get("kind") === "Namespace")));
  await ensureAdmin(kubectl);
  await kubectl.apply(documents.map(String).join("---\n"));
  await kubectl.run(["rollout", "status", "deployment/git", "--namespace", gitNamespace, "--timeout", "120s"]);
}

/** Brings examples/shop/infra to the branch main; resolves with the commit. Unchanged modules make no commit. */
export async function pushModules(kubectl: Kubectl): Promise<string> {
  const credentials = await ensureAdmin(kubectl);
  const forward = await kubectl.forward(gitNamespace, "git", 80);
  try {
    const url = `${forward.url}/${repository}`;
    await createRepository(url, credentials);
    const content = { folder: join(checkout, "examples/shop/infra") };
    return await pushCommit({ url, credentials }, { content, message: "The modules of the shop" });
  } finally {
    forward.close();
  }
}

/** What the team has in its namespace, and the Environment itself; one that gave up is asked to try again. */
export async function applyShop(kubectl: Kubectl, image: string, engine: string): Promise<void> {
  const team = await manifests("examples/shop/team.yaml");
  for (const document of team) {
    if (document.get("kind") === "ConfigMap") document.setIn(["data", "image"], image);
  }
  await kubectl.apply(team.map(String).join("---\n"));
  const [environment] = await manifests("examples/shop/environment.yaml");
  if (environment === undefined) throw new Error("examples/shop/environment.yaml is empty");
  if (engine === "terraform") {
    environment.setIn(["spec", "engine", "name"], "terraform");
    environment.setIn(["spec", "engine", "version"], "1.5");
  }
  await kubectl.apply(String(environment));
  const found = await kubectl.get<WatchedEnvironment>("environments.terrarium.dev", shop.name, shop.namespace);
  if (found === undefined || !isStalled(found)) return;
  const request = `${ANNOTATIONS.requestedAt}=${new Date().toISOString()}`;
  await kubectl.run(["annotate", "environment", shop.name, "--namespace", shop.namespace, "--overwrite", request]);
}

interface Login {
  readonly username: string;
  readonly password: string;
}

/** Who may push: made up once and kept in the cluster. */
async function ensureAdmin(kubectl: Kubectl): Promise<Login> {
  const found = await kubectl.get<{ data: { login: string } }>("secret", "git-admin", gitNamespace);
  const login = found === undefined ? `admin:${randomBytes(18).toString("hex")}` : decode(found.data.login);
  if (found === undefined) {
    const metadata = { name: "git-admin", namespace: gitNamespace };
    await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata, stringData: { login } }));
  }
  const [username = "", password = ""] = login.split(":");
  return { username, password };
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}

async function manifests(path: string): Promise<readonly Document[]> {
  const documents = parseAllDocuments(await readFile(join(checkout, path), "utf8"));
  if (!Array.isArray(documents)) return [];
  return documents;
}
