/** How an engine is made to keep its state with the agent, whatever the module says. */
import type { EngineName } from "./names.ts";
import { isOverrideFile, moduleFileKind } from "./names.ts";

export const backendOverride = `${JSON.stringify({ terraform: { backend: { http: {} } } }, undefined, 2)}\n`;

/**
 * A name for the override file that sorts behind the module's own override files: the last one decides. `~` sorts
 * behind every ASCII letter, and only a trailing one makes a file invisible.
 */
export function backendOverrideName(moduleFiles: readonly string[], engine: EngineName): string {
  const suffix = engine === "opentofu" ? ".tofu.json" : ".tf.json";
  const rivals = moduleFiles.filter((name) => moduleFileKind(name, engine) !== undefined && isOverrideFile(name));
  const last = rivals
    .map((name) => Buffer.from(name))
    .sort(Buffer.compare)
    .at(-1);
  const own = Buffer.from(`terrarium_override${suffix}`);
  if (last === undefined || Buffer.compare(own, last) > 0) return own.toString();
  const [first = "~"] = [...last.toString()];
  const lead = Buffer.compare(Buffer.from(first), Buffer.from("~")) > 0 ? first : "~";
  const stem = last.toString().startsWith(lead) ? last.toString().replace(/\.(tf|tofu)(\.json)?$/, "") : lead;
  return `${stem}~terrarium_override${suffix}`;
}

export interface BackendAddress {
  /** Port of the agent on the pod's loopback. */
  readonly port: number;
  /** Spoken by the engine as basic authentication; keeps other programs of the pod from the routes. */
  readonly username?: string;
  readonly password?: string;
}

/**
 * The engine doubles its wait from the smallest to the largest, then keeps the largest: nearly ten minutes until it gives up
 * and leaves its state in a file.
 */
const backendRetry = { max: 60, waitMinSeconds: 1, waitMaxSeconds: 10 } as const;

export function backendEnvironment(address: BackendAddress): Record<string, string> {
  const url = `http://127.0.0.1:${address.port}/state`;
  return {
    TF_HTTP_ADDRESS: url,
    TF_HTTP_UPDATE_METHOD: "POST",
    TF_HTTP_LOCK_ADDRESS: url,
    TF_HTTP_LOCK_METHOD: "LOCK",
    TF_HTTP_UNLOCK_ADDRESS: url,
    TF_HTTP_UNLOCK_METHOD: "UNLOCK",
    TF_HTTP_RETRY_MAX: String(backendRetry.max),
    TF_HTTP_RETRY_WAIT_MIN: String(backendRetry.waitMinSeconds),
    TF_HTTP_RETRY_WAIT_MAX: String(backendRetry.waitMaxSeconds),
    ...(address.username === undefined ? {} : { TF_HTTP_USERNAME: address.username }),
    ...(address.password === undefined ? {} : { TF_HTTP_PASSWORD: address.password }),
  };
}

/**
 * Which backend `init` really chose, from the text of `.terraform/terraform.tfstate`. Check it before planning: a plan
 * against an empty state of another backend would create everything a second time.
 */
export function initialisedBackend(text: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || !("backend" in parsed)) return undefined;
  const { backend } = parsed;
  if (typeof backend !== "object" || backend === null || !("type" in backend)) return undefined;
  return typeof backend.type === "string" ? backend.type : undefined;
}
