import { cutBytes } from "../api/cut-bytes.ts";
import {
  type ComponentState,
  type ComponentStatus,
  type EnvironmentStatus,
  MOST_COMPONENTS,
} from "../api/environment-status.ts";

/** Every write of a status goes to everybody who watches it: GitOps tools, dashboards, caches. */
export const STATUS_BUDGET_BYTES = 32 * 1024;

const SHORT_MESSAGE_BYTES = 60;
const SHORT_REVISION = 60;

const RUN_SAYS_WHY: ReadonlySet<ComponentState> = new Set([
  "Planning",
  "AwaitingApproval",
  "Applying",
  "Destroying",
  "Failed",
]);

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Leaves out what can be read elsewhere, most dispensable first, until the status is small enough. */
export function withinBudget(status: EnvironmentStatus, declared: ReadonlySet<string>): EnvironmentStatus {
  let kept = withinRoom(status, declared);
  for (const step of STEPS) {
    if (bytesOf(kept) <= STATUS_BUDGET_BYTES) return kept;
    kept = step(kept);
  }
  return kept;
}

type Step = (status: EnvironmentStatus) => EnvironmentStatus;

/**
 * What stays in any case is what decisions go by, and what tells that something is news: state and reason, drift, an interruption, what becomes
 * of the objects, and the digests of outputs.
 */
const STEPS: readonly Step[] = [
  shortMessages,
  inComponents(withoutDriftAddresses),
  withoutOutputValues,
  // The Runs have them.
  inComponents(({ plan: _left, ...component }) => component),
  inComponents(({ appliedAt: _left, ...component }) => component),
  inComponents(withoutToldMessage),
  inComponents(({ revision: _left, ...component }) => component),
  // The Run has the plan that waits, and `kubectl terrarium doctor` finds the lock.
  inComponents(({ approval: _left, lock: _too, ...component }) => component),
  // The label of a Run says which component it is of.
  inComponents(({ run: _left, number: _too, ...component }) => component),
];

function inComponents(change: (component: ComponentStatus) => ComponentStatus): Step {
  return (status) =>
    status.components === undefined ? status : { ...status, components: status.components.map(change) };
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
  const conditions = status.conditions?.map((condition) => ({
    ...condition,
    message: cutBytes(condition.message, 512),
  }));
  return { ...shortInComponents(status), ...(conditions && { conditions }) };
}

const shortInComponents = inComponents((component) => ({
  ...component,
  ...(component.message === undefined ? {} : { message: cutBytes(component.message, SHORT_MESSAGE_BYTES) }),
  ...(component.revision === undefined ? {} : { revision: component.revision.slice(-SHORT_REVISION) }),
}));

/** The Checks have them. */
function withoutDriftAddresses({ drift, ...component }: ComponentStatus): ComponentStatus {
  return { ...component, ...(drift === undefined ? {} : { drift: { ...drift, addresses: [] } }) };
}

/** The ConfigMap of writeOutputsTo has them. */
function withoutOutputValues(status: EnvironmentStatus): EnvironmentStatus {
  const outputs = status.outputs?.map(({ value: _left, ...output }) => output);
  return { ...status, ...(outputs && { outputs }) };
}

/** What is to be done where no Run goes on is said nowhere else. */
function withoutToldMessage({ message, ...component }: ComponentStatus): ComponentStatus {
  const told = component.run !== undefined && RUN_SAYS_WHY.has(component.state);
  return { ...component, ...(told || message === undefined ? {} : { message }) };
}
