import type { FreshCondition, Reason } from "../api/conditions.ts";
import { cutBytes } from "../api/cut-bytes.ts";
import type { Environment } from "../api/environment.ts";
import type { ComponentStatus, EnvironmentStatus } from "../api/environment-status.ts";
import { KeyMissing, type RecordsUnreadable, type UnreadableRecord } from "../storage/port.ts";
import { LONGEST_LINE } from "./component-line.ts";
import { isToldLost } from "./lost-state.ts";
import { owed } from "./outputs.ts";
import { dated } from "./status.ts";
import { withinBudget } from "./status-budget.ts";

/** What is said of the whole, whatever was said before. */
const SAID_ANEW: ReadonlySet<string> = new Set(["Ready", "Reconciling", "Stalled"]);

/**
 * The status while records cannot be read. Nothing is decided then, so what else was told last stays as it was: where the other components stand, what
 * waits, what is published.
 */
export function statusOfUnreadable(
  environment: Environment,
  { unreadable }: RecordsUnreadable,
  now: Date,
): EnvironmentStatus {
  const { metadata, spec, status } = environment;
  const { components, conditions = [], outputs } = status ?? {};
  const generation = metadata.generation ?? 0;
  const others = conditions.filter(({ type }) => !SAID_ANEW.has(type));
  // Whatever the new spec changes about where they are written is still to be done.
  const lines = status?.observedGeneration === generation ? outputs : outputs && owed(outputs);
  const said = {
    ...status,
    observedGeneration: generation,
    conditions: [...conditionsOf(unreadable), ...others].map((fresh) => dated(environment, fresh, now)),
    summary: "not known",
    ...(components === undefined ? {} : { components: components.map((line) => lineOf(line, unreadable)) }),
    ...(lines === undefined ? {} : { outputs: lines }),
  };
  return withinBudget(said, new Set(spec.components.map(({ name }) => name)));
}

function conditionsOf([first, ...more]: readonly UnreadableRecord[]): readonly FreshCondition[] {
  if (first === undefined) return [];
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
  const said = { reason: reasonOf(first), message: `${first.component}${others}: ${messageOf(first)}` };
  return [
    { type: "Ready", status: "False", ...said },
    { type: "Reconciling", status: "False", reason: said.reason, message: "a person is needed" },
    { type: "Stalled", status: "True", ...said },
  ];
}

const reasonOf = ({ error }: UnreadableRecord): Reason =>
  error instanceof KeyMissing ? "KeyMissing" : "RecordUnreadable";

/** What to do comes first: the status cuts long messages. */
function messageOf({ error, holder }: UnreadableRecord): string {
  const { message } = error;
  const helps =
    error instanceof KeyMissing
      ? message
      : `restore ${holder} from the backup of the operator's namespace (${message})`;
  return `its record cannot be read: ${helps}; nothing new is applied or destroyed until then`;
}

/** Of what is shown already only: whose a record is of which nothing was told yet, nobody knows. */
function lineOf(line: ComponentStatus, unreadable: readonly UnreadableRecord[]): ComponentStatus {
  const own = unreadable.find(({ component }) => component === line.name);
  // A loss that was told is no smaller for that.
  if (own === undefined || isToldLost(line)) return line;
  const { approval: _question, retryAt: _next, retries: _tries, ...rest } = line;
  return { ...rest, state: "Stalled", reason: reasonOf(own), message: cutBytes(messageOf(own), LONGEST_LINE) };
}
