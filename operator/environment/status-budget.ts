import { cutBytes } from "../api/cut-bytes.ts";
import { type ComponentStatus, type EnvironmentStatus, MOST_COMPONENTS } from "../api/environment-status.ts";

/** Every write of a status goes to everybody who watches it: GitOps tools, dashboards, caches. */
export const STATUS_BUDGET_BYTES = 32 * 1024;

const SHORT_MESSAGE_BYTES = 60;
const SHORT_REVISION = 60;

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Leaves out what can be read elsewhere, most dispensable first, until the status is small enough. */
export function withinBudget(status: EnvironmentStatus, declared: ReadonlySet<string>): EnvironmentStatus {
  const steps = [shortMessages, withoutDriftAddresses, withoutOutputValues, withoutPlans];
  let kept = withinRoom(status, declared);
  for (const step of steps) {
    if (bytesOf(kept) <= STATUS_BUDGET_BYTES) return kept;
    kept = step(kept);
  }
  return kept;
}

/** Whoever renames everything twice has more components than fit. Only the status remembers of a removed one that its objects are to be kept. */
function withinRoom(status: EnvironmentStatus, declared: ReadonlySet<string>): EnvironmentStatus {
  const { components = [] } = status;
  if (components.length <= MOST_COMPONENTS) return status;
  const rank = ({ name, deletionPolicy }: ComponentStatus) => {
    if (declared.has(name)) return 0;
    return deletionPolicy === "Retain" ? 1 : 2;
  };
  const kept = new Set(components.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST_COMPONENTS));
  return { ...status, components: components.filter((component) => kept.has(component)) };
}

/** The Run that a component names has the whole message. */
function shortMessages(status: EnvironmentStatus): EnvironmentStatus {
  const components = status.components?.map((component) => ({
    ...component,
    ...(component.message === undefined ? {} : { message: cutBytes(component.message, SHORT_MESSAGE_BYTES) }),
    ...(component.revision === undefined ? {} : { revision: component.revision.slice(-SHORT_REVISION) }),
  }));
  const conditions = status.conditions?.map((condition) => ({
    ...condition,
    message: cutBytes(condition.message, 512),
  }));
  return { ...status, ...(components && { components }), ...(conditions && { conditions }) };
}

/** The Checks have them. */
function withoutDriftAddresses(status: EnvironmentStatus): EnvironmentStatus {
  const components = status.components?.map(({ drift, ...component }) => ({
    ...component,
    ...(drift === undefined ? {} : { drift: { ...drift, addresses: [] } }),
  }));
  return { ...status, ...(components && { components }) };
}

/** The ConfigMap of writeOutputsTo has them. */
function withoutOutputValues(status: EnvironmentStatus): EnvironmentStatus {
  const outputs = status.outputs?.map(({ value: _left, ...output }) => output);
  return { ...status, ...(outputs && { outputs }) };
}

/** The Runs have them. */
function withoutPlans(status: EnvironmentStatus): EnvironmentStatus {
  const components = status.components?.map(({ plan: _left, ...component }) => component);
  return { ...status, ...(components && { components }) };
}
