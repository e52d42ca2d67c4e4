/** Turns what the work order names into values: variables, credentials, and the secrets that must never be printed. */
import { createHmac } from "node:crypto";
import { canonicalJson } from "../../operator/api/digest.ts";
import { isReservedVariable } from "../../operator/engine/environment.ts";
import type { OrderedVariable, WorkOrder } from "../../operator/gateway/protocol.ts";
import { secretsOf } from "../../operator/source/git-settings.ts";
import type { ArchivedInputs } from "./archive.ts";
import { failed, waiting } from "./ending.ts";
import { gitCredentials } from "./engine-secrets.ts";
import { describeMissing, type Missing, type MountedObjects } from "./mounted.ts";
import { stringsIn } from "./secret-forms.ts";

export type CredentialOrder = WorkOrder["credentials"][number];
export type CredentialPhase = CredentialOrder["phases"][number];

export interface ResolvedCredential {
  readonly order: CredentialOrder;
  readonly data: ReadonlyMap<string, Buffer>;
}

export interface Inputs {
  readonly values: ReadonlyMap<string, unknown>;
  readonly credentials: readonly ResolvedCredential[];
  /** All values that came from Secrets, or are marked as sensitive. */
  readonly secrets: readonly string[];
}

/** Throws Ended, naming everything that is missing at once. */
export async function resolveInputs(
  order: WorkOrder,
  mounted: MountedObjects,
  archived: ArchivedInputs | undefined,
): Promise<Inputs> {
  const missing: Missing[] = [];
  const secrets: string[] = [];
  const values = new Map<string, unknown>(archived?.variables ?? []);
  for (const variable of order.variables) {
    const value = await variableValue(variable, mounted, missing);
    if (value === undefined) continue;
    values.set(variable.name, value);
    if (isSensitive(variable)) secrets.push(...stringsIn(value));
  }
  secrets.push(...(archived?.secrets ?? []));
  const credentials: ResolvedCredential[] = [];
  for (const credential of order.credentials.filter((one) => isNeeded(one, order.operation))) {
    const data = await credentialData(credential, mounted, archived);
    // What init fetched with it came with the plan.
    if (data === undefined && order.held !== undefined && credential.as === "Git") continue;
    if (data === undefined) {
      missing.push(await mounted.missing("Secret", credential.secretRef.name, `credentials ${credential.name}`));
    } else {
      credentials.push({ order: credential, data });
      secrets.push(...credentialSecrets(credential, data));
    }
  }
  if (missing.length > 0) {
    const reason = order.operation === "Destroy" ? "CredentialsMissing" : "InputMissing";
    throw waiting(reason, describeMissing(missing));
  }
  refuseMalformedNames(credentials);
  return { values, credentials, secrets };
}

/** Names of variables whose values came from a Secret, for the archive. */
export function sensitiveNames(order: WorkOrder): ReadonlySet<string> {
  return new Set(order.variables.filter(isSensitive).map(({ name }) => name));
}

/**
 * Tells whether any input changed, and nothing about its value. Access to modules is none: they wait with the plan, and
 * a token that lives for an hour voids nothing. `files` are those of the ConfigMap that the module is declared to come from, if it is one.
 */
export function inputsDigest(
  { values, credentials }: Inputs,
  key: string,
  files?: ReadonlyMap<string, Buffer>,
): string {
  const given = credentials.filter(({ order }) => order.as !== "Git");
  const content = {
    variables: Object.fromEntries(values),
    credentials: given.map(({ order, data }) => ({
      name: order.name,
      data: encoded(data),
    })),
    ...(files === undefined ? {} : { files: encoded(files) }),
  };
  return keyedDigest(content, key);
}

const encoded = (data: ReadonlyMap<string, Buffer>) =>
  Object.fromEntries([...data].map(([name, value]) => [name, value.toString("base64")]));

export function keyedDigest(value: unknown, key: string): string {
  return `hmac-sha256:${createHmac("sha256", Buffer.from(key, "base64")).update(canonicalJson(value)).digest("hex")}`;
}

function isSensitive(variable: OrderedVariable): boolean {
  return variable.kind === "secret" || (variable.kind === "value" && variable.sensitive);
}

async function variableValue(variable: OrderedVariable, mounted: MountedObjects, missing: Missing[]): Promise<unknown> {
  if (variable.kind === "value") return variable.value;
  const [kind, name] =
    variable.kind === "secret" ? (["Secret", variable.secret] as const) : (["ConfigMap", variable.configMap] as const);
  const bytes = await mounted.read(kind, name, variable.key);
  if (bytes === undefined) missing.push(await mounted.missing(kind, name, `variable ${variable.name}`, variable.key));
  return bytes?.toString("utf8");
}

/** What is kept for a destroy must be there when the archive is made, whatever the phase. */
function isNeeded(credential: CredentialOrder, operation: WorkOrder["operation"]): boolean {
  if (operation === "Check") return credential.phases.includes("Plan");
  const phases: readonly CredentialPhase[] = operation === "Destroy" ? ["Plan", "Destroy"] : ["Plan", "Apply"];
  return credential.keepForDestroy || credential.phases.some((phase) => phases.includes(phase));
}

async function credentialData(
  credential: CredentialOrder,
  mounted: MountedObjects,
  archived: ArchivedInputs | undefined,
): Promise<ReadonlyMap<string, Buffer> | undefined> {
  const data = await mounted.readAll("Secret", credential.secretRef.name);
  if (data.size > 0) return data;
  return archived?.credentials.get(credential.name);
}

function credentialSecrets(credential: CredentialOrder, data: ReadonlyMap<string, Buffer>): string[] {
  if (credential.as === "Git") return [...secretsOf(gitCredentials(data))];
  return [...data.values()].map((bytes) => bytes.toString("utf8"));
}

function refuseMalformedNames(credentials: readonly ResolvedCredential[]): void {
  const wrong = credentials
    .filter(({ order }) => order.as === "Env")
    .flatMap(({ order, data }) =>
      [...data.keys()]
        .filter((key) => isReservedVariable(key) && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key))
        .map((key) => `key "${key}" of Secret ${order.secretRef.name} (credentials ${order.name})`),
    );
  if (wrong.length === 0) return;
  const list = wrong.slice(0, 10).join(", ");
  throw failed(
    "ConfigurationInvalid",
    `${list} cannot be the name of an environment variable: use letters, digits and "_", or give the Secret with "as: Files"`,
  );
}
