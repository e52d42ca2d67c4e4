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
  const heads = ["ENVIRONMENT", "COMPONENT", "SERIAL", "RESOURCES", "AGE", "VERSIONS", "IN USE BY", "RECOVERY COPY"];
  return table(heads, rows, paint);
}

function holder({ lock, claim }: StateFacts, now: Date): Cell {
  const held = lock ?? claim;
  if (held === undefined) return "";
  const since = held.since === undefined ? "" : ` for ${age(held.since, now)}`;
  return { style: "warn", text: `${held.run ?? "somebody"}${since}` };
}
