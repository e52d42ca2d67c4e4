import type { LogOptions } from "../operator/cluster/pod-log.ts";
import type { Cluster } from "./cluster.ts";

/** The log of one pod, which may be opened again: as a container that is started anew, or after its connection broke. No line comes twice. */
export type ResumedLog = (signal: AbortSignal) => AsyncGenerator<string>;

/** How far it was read. */
interface Place {
  /** Of the newest line, in UTC: as text it sorts by time. */
  readonly moment: string;
  /** So many lines of that moment were read. */
  readonly lines: number;
}

export function resumedLog(
  { podLog, namespace }: Pick<Cluster, "podLog" | "namespace">,
  pod: string,
  { tailLines, ...wanted }: Pick<LogOptions, "container" | "follow" | "tailLines">,
): ResumedLog {
  let place: Place | undefined;
  let remark: string | undefined;
  return async function* resume(signal) {
    const from = place;
    let again = from?.lines ?? 0;
    const beginning = from === undefined ? { tailLines } : { sinceTime: `${from.moment.slice(0, SECONDS)}Z` };
    for await (const text of podLog(namespace, pod, { ...wanted, ...beginning, timestamps: true, signal })) {
      const { moment, line } = stamped(text);
      if (moment === undefined) {
        if (line !== remark) yield line;
        remark = line;
        continue;
      }
      if (from !== undefined && moment < from.moment) continue;
      if (moment === from?.moment && again > 0) {
        again -= 1;
        continue;
      }
      place = further(place, moment);
      yield line;
    }
  };
}

/** On its way to the node, `sinceTime` loses what is finer than a second: lines of that second come again. */
const SECONDS = "2026-01-01T00:00:00".length;

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) (.*)$/s;

/** Nodes stamp with their own time zone. What the kubelet itself remarks has no stamp. */
function stamped(text: string): { readonly moment?: string; readonly line: string } {
  const [, seconds, fraction = "", zone, line] = STAMP.exec(text) ?? [];
  if (line === undefined) return { line: text };
  const utc = new Date(`${seconds}${zone}`).toISOString().slice(0, SECONDS);
  return { moment: `${utc}.${fraction.padEnd(9, "0")}`, line };
}

function further(place: Place | undefined, moment: string): Place {
  if (place === undefined || moment > place.moment) return { moment, lines: 1 };
  return moment === place.moment ? { moment, lines: place.lines + 1 } : place;
}
