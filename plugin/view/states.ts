import { type StateFacts, type StateObject, versionsText } from "../reading/states.ts";
import { age, type Cell, cut, type Paint, table } from "./text.ts";

const LONGEST = 40;

export function statesView(states: readonly StateObject[], now: Date, paint: Paint): readonly string[] {
  const rows = states.map(({ status }): readonly Cell[] => [
    status.environment,
    status.component,
    status.serial === undefined ? { style: "quiet", text: "none" } : `${status.serial}`,
    status.resources === undefined ? "" : `${status.resources}`,
    age(status.versions?.[0]?.storedAt, now),
    { style: "quiet", text: cut(versionsText(status), LONGEST) },
    holder(status, now),
    status.recovery === undefined ? "" : { style: "bad", text: `of ${status.recovery.run ?? "a Run"}` },
  ]);
  const heads = ["ENVIRONMENT", "COMPONENT", "SERIAL", "RESOURCES", "AGE", "VERSIONS", "LOCKED BY", "RECOVERY COPY"];
  return table(heads, rows, paint);
}

function holder({ lock }: StateFacts, now: Date): Cell {
  if (lock === undefined) return "";
  const since = lock.since === undefined ? "" : ` for ${age(lock.since, now)}`;
  return { style: "warn", text: `${lock.run ?? "somebody"}${since}` };
}
