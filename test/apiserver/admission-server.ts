import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Agent, request } from "undici";
import { parseAllDocuments } from "yaml";
import { type ApiServer, startApiServer } from "../../tools/cluster/apiserver-only.ts";
import { ensureBinaries } from "../../tools/cluster/binaries.ts";
import { ensureCertificates } from "../../tools/cluster/certificates.ts";
import { renderKubeconfig } from "../../tools/cluster/kubeconfig.ts";

/** A real API server with the chart's definitions, roles and policies, for the suites about who may write what. */

export const OPERATOR_NAMESPACE = "terrarium-system";

export const CHART = join(import.meta.dirname, "../../charts/terrarium");

/** Whom a request is made as; the API server takes it for theirs in every respect. */
export interface Person {
  readonly user: string;
  readonly groups?: readonly string[];
}

export interface Answer {
  readonly status: number;
  /** The sentence of a refusal; empty when the request was accepted. */
  readonly message: string;
  readonly body: Record<string, unknown>;
}

export type Manifest = Readonly<Record<string, unknown>>;

interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly as?: Person;
  readonly contentType?: string;
}

const serviceAccount = (namespace: string, name: string): Person => ({
  user: `system:serviceaccount:${namespace}:${name}`,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
});

export const PEOPLE = {
  admin: { user: "admin", groups: ["system:masters", "system:authenticated"] },
  operator: serviceAccount(OPERATOR_NAMESPACE, "terrarium-operator"),
  resolver: serviceAccount(OPERATOR_NAMESPACE, "terrarium-resolver"),
  editor: { user: "edith", groups: ["system:authenticated"] },
  viewer: { user: "victor", groups: ["system:authenticated"] },
  namespaceAdmin: { user: "ada", groups: ["system:authenticated"] },
  node: { user: "system:node:node-1", groups: ["system:nodes", "system:authenticated"] },
  garbageCollector: serviceAccount("kube-system", "generic-garbage-collector"),
  namespaceController: serviceAccount("kube-system", "namespace-controller"),
} as const satisfies Record<string, Person>;

/** Requests to one API server, as whoever is named. */
export class Api {
  readonly #server: string;
  readonly #agent: Agent;
  readonly #token: string;

  constructor(server: string, agent: Agent, token: string) {
    this.#server = server;
    this.#agent = agent;
    this.#token = token;
  }

  async call({ method, path, body, as, contentType }: Call): Promise<Answer> {
    const response = await request(new URL(path, this.#server), {
      method,
      dispatcher: this.#agent,
      headers: this.#headers(as, body === undefined ? undefined : (contentType ?? "application/json")),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    const answer = parseAnswer(text);
    const refused = response.statusCode >= 400;
    return { status: response.statusCode, message: refused ? String(answer.message ?? text) : "", body: answer };
  }

  /** Pairs rather than an object: a group is one header each. */
  #headers(as: Person | undefined, contentType: string | undefined): string[] {
    const headers = ["authorization", `Bearer ${this.#token}`];
    if (contentType !== undefined) headers.push("content-type", contentType);
    if (as !== undefined) headers.push("impersonate-user", as.user);
    for (const group of as?.groups ?? []) headers.push("impersonate-group", group);
    return headers;
  }

  create(path: string, body: Manifest, as?: Person): Promise<Answer> {
    return this.call({ method: "POST", path: `${path}?fieldValidation=Strict`, body, ...(as ? { as } : {}) });
  }

  get(path: string, as?: Person): Promise<Answer> {
    return this.call({ method: "GET", path, ...(as ? { as } : {}) });
  }

  replace(path: string, body: Manifest, as?: Person): Promise<Answer> {
    return this.call({ method: "PUT", path: `${path}?fieldValidation=Strict`, body, ...(as ? { as } : {}) });
  }

  patch(path: string, body: unknown, as?: Person): Promise<Answer> {
    const contentType = "application/merge-patch+json";
    return this.call({ method: "PATCH", path, body, contentType, ...(as ? { as } : {}) });
  }

  /** Server-side apply without force: a conflict is an answer, too. */
  apply(path: string, body: Manifest, fieldManager: string, as?: Person): Promise<Answer> {
    const query = `?fieldManager=${fieldManager}&fieldValidation=Strict`;
    const contentType = "application/apply-patch+yaml";
    return this.call({ method: "PATCH", path: path + query, body, contentType, ...(as ? { as } : {}) });
  }

  delete(path: string, as?: Person): Promise<Answer> {
    return this.call({ method: "DELETE", path, ...(as ? { as } : {}) });
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

function parseAnswer(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Runs helm on the chart; what it prints is the answer. */
export async function helm(...args: readonly string[]): Promise<string> {
  const program = (await ensureBinaries(["helm"], () => undefined)).get("helm");
  if (program === undefined) throw new Error("helm was not built");
  const { stdout } = await promisify(execFile)(program, [...args], { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** Every object that `helm install` would create with these values. */
export async function renderedChart(values: Readonly<Record<string, unknown>> = {}): Promise<readonly Manifest[]> {
  const sets = Object.entries(values).flatMap(([name, value]) => ["--set-json", `${name}=${JSON.stringify(value)}`]);
  const target = ["terrarium", CHART, "--namespace", OPERATOR_NAMESPACE, "--kube-version", "1.35.0"];
  return parseAllDocuments(await helm("template", ...target, ...sets))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

const RBAC = "/apis/rbac.authorization.k8s.io/v1";

const PATHS: Readonly<Record<string, (namespace: string) => string>> = {
  CustomResourceDefinition: () => "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  ClusterRole: () => `${RBAC}/clusterroles`,
  ClusterRoleBinding: () => `${RBAC}/clusterrolebindings`,
  Role: (namespace) => `${RBAC}/namespaces/${namespace}/roles`,
  RoleBinding: (namespace) => `${RBAC}/namespaces/${namespace}/rolebindings`,
  ServiceAccount: (namespace) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
  ValidatingAdmissionPolicy: () => "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: () => "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
};

/** What of the chart matters without nodes: definitions, roles and policies. */
async function installChart(api: Api): Promise<void> {
  await made(api.create("/api/v1/namespaces", namespace(OPERATOR_NAMESPACE)));
  for (const manifest of await renderedChart({ apiAudiences: ["an-audience-of-this-cluster"] })) {
    const { name, namespace } = manifest.metadata as { readonly name: string; readonly namespace?: string };
    const path = PATHS[String(manifest.kind)]?.(namespace ?? OPERATOR_NAMESPACE);
    if (path !== undefined) await made(api.apply(`${path}/${name}`, manifest, "helm"));
  }
}

export const namespace = (name: string): Manifest => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name },
});

/** Fails unless the request was accepted. */
export async function made(answer: Promise<Answer>): Promise<Answer> {
  const result = await answer;
  if (result.status >= 400) throw new Error(`${result.status}: ${result.message}`);
  return result;
}

/** People who hold Kubernetes' own roles in a namespace, and nothing else. */
export async function bindPeople(api: Api, inNamespace: string): Promise<void> {
  const roles = { edit: PEOPLE.editor, view: PEOPLE.viewer, admin: PEOPLE.namespaceAdmin };
  for (const [role, person] of Object.entries(roles)) {
    const binding = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: role },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: person.user }],
    };
    await made(api.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${inNamespace}/rolebindings`, binding));
  }
}

/** Repeats a request until its answer is what one waits for: policies and roles take effect a moment after they exist. */
export async function until(
  ask: () => Promise<Answer>,
  good: (answer: Answer) => boolean,
  deadlineMs = 20_000,
): Promise<Answer> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (Date.now() > end) throw new Error(`still ${answer.status} after ${deadlineMs} ms: ${answer.message}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

let shared: ReturnType<typeof start> | undefined;

/** One server for all suites that need the chart: starting one takes seconds. */
export async function chartApi(): Promise<Api> {
  shared ??= start();
  return (await shared).api;
}

/** Where that server is, for clients of another kind. */
export async function chartServer(): Promise<ApiServer> {
  shared ??= start();
  return (await shared).server;
}

/** The kubeconfig of somebody who proves with a certificate of their own who they are. */
export async function kubeconfigOf({ user, groups = [] }: Person): Promise<string> {
  const { url, caFile } = await chartServer();
  // The API server adds its own to whoever proves to be somebody.
  const [group] = groups.filter((name) => !name.startsWith("system:"));
  const certificate = { file: user, user, authority: "ca", ...(group === undefined ? {} : { group }) } as const;
  await ensureCertificates(dirname(caFile), [certificate]);
  return renderKubeconfig("test", url, dirname(caFile), { certificate: user });
}

async function start() {
  const dir = await mkdtemp(join(tmpdir(), "terrarium-admission-"));
  const server = await startApiServer({ dir, controllers: true });
  const ca = await readFile(server.caFile, "utf8");
  // Over HTTP/2 undici joins repeated headers, and two groups become one of a strange name.
  const api = new Api(server.url, new Agent({ allowH2: false, connect: { ca } }), server.adminToken);
  await installChart(api);
  const stop = async () => {
    await api.close();
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { api, server, stop };
}

after(async () => {
  if (shared !== undefined) await (await shared).stop();
});
