/**
 * What the tools that people wait with make of an object: `kstatus` of sigs.k8s.io/cli-utils, which Flux, kpt and others use. The rules are
 * written down here a second time, on purpose without a word of the product: what is proved is what others will see.
 */

export interface KCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number | undefined;
  readonly lastTransitionTime?: string;
}

/** As much of an object as kstatus reads. */
export interface KObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly generation?: number | undefined;
    readonly deletionTimestamp?: string | undefined;
  };
  readonly status?:
    | { readonly observedGeneration?: number | undefined; readonly conditions?: readonly KCondition[] | undefined }
    | undefined;
}

export type KStatus = "InProgress" | "Failed" | "Current" | "Terminating";

/** `status.Compute` for a custom resource. The first of Reconciling and Stalled counts, in the order of the list. */
export function kstatusOf({ metadata, status }: KObject): KStatus {
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  const { observedGeneration, conditions = [] } = status ?? {};
  if (observedGeneration !== undefined && observedGeneration !== metadata.generation) return "InProgress";
  const abnormal = conditions.find(({ type, status }) => ABNORMAL.includes(type) && status === "True");
  if (abnormal !== undefined) return abnormal.type === "Stalled" ? "Failed" : "InProgress";
  const ready = conditions.find(({ type }) => type === "Ready");
  return ready === undefined || ready.status === "True" ? "Current" : "InProgress";
}

/** Conditions that are True when something is not as it should be: their absence, or False, is the normal case. */
const ABNORMAL: readonly string[] = ["Reconciling", "Stalled"];

const LASTING: readonly string[] = ["Ready", "Succeeded", ...ABNORMAL];

const REASON = /^[A-Z][A-Za-z]*$/;

/** Each broken rule of this object, by itself. */
export function violationsOf(object: KObject): readonly string[] {
  const { metadata, status } = object;
  const conditions = status?.conditions ?? [];
  const is = (type: string, value = "True") => conditions.some((one) => one.type === type && one.status === value);
  const reasonOf = (type: string) => conditions.find((one) => one.type === type)?.reason;
  const seen = status?.observedGeneration ?? -1;
  const seenAsIs = seen === metadata.generation;
  const types = conditions.map(({ type }) => type);
  const broken: string[] = [];
  const rule = (holds: boolean, what: string) => void (holds || broken.push(what));

  rule(seen <= (metadata.generation ?? 0), `observedGeneration ${seen} is ahead of generation ${metadata.generation}`);
  rule(new Set(types).size === types.length, `a condition is there twice: ${types.join(", ")}`);
  rule(!(is("Reconciling") && is("Stalled")), "Reconciling and Stalled at once: tools take whichever is listed first");
  rule(!(is("Ready") && is("Reconciling")), "Ready while Reconciling");
  rule(!(is("Ready") && is("Stalled")), "Ready while Stalled");
  rule(!(is("Succeeded") && is("Reconciling")), "Succeeded while Reconciling");
  rule(!(is("Succeeded") && is("Stalled")), "Succeeded while Stalled");
  rule(!is("Succeeded", "Unknown") || is("Reconciling") || is("Stalled"), "it has not ended, and is nobody's turn");
  rule(!(is("Ready") && seenAsIs && metadata.deletionTimestamp !== undefined), "Ready while it is deleted");
  rule(conditions.length === 0 || seen >= 0, "it has conditions and no observedGeneration");
  rule(
    !is("Stalled") || !types.includes("Ready") || reasonOf("Ready") === reasonOf("Stalled"),
    `Ready says ${reasonOf("Ready")}, and Stalled says ${reasonOf("Stalled")}`,
  );
  for (const { type, status: value, reason = "", message = "", observedGeneration, lastTransitionTime } of conditions) {
    rule(REASON.test(reason), `the reason of ${type} is no CamelCase word: "${reason}"`);
    rule(message !== "" || value !== "True", `${type} is True, and has no sentence`);
    rule(observedGeneration === seen, `${type} speaks of generation ${observedGeneration}, the status of ${seen}`);
    rule(lastTransitionTime !== undefined, `${type} does not say since when`);
    rule(!ABNORMAL.includes(type) || value !== "Unknown", `${type} is Unknown: it is True, or all is normal`);
  }
  return broken;
}

/** Each rule that the step from one version of an object to the next breaks. A new object has no version before. */
export function violationsBetween(old: KObject | undefined, now: KObject): readonly string[] {
  const broken: string[] = [];
  const before = old?.status?.conditions ?? [];
  const after = now.status?.conditions ?? [];
  const [seenBefore, seenNow] = [old?.status?.observedGeneration ?? -1, now.status?.observedGeneration ?? -1];
  if (seenNow < seenBefore) broken.push(`observedGeneration goes back from ${seenBefore} to ${seenNow}`);
  for (const { type, status, lastTransitionTime = "" } of before) {
    const next = after.find((one) => one.type === type);
    // What people and tools wait for stays; a condition that is there only while it is True may go.
    if (next === undefined) {
      if (LASTING.includes(type)) broken.push(`${type}=${status} disappears`);
      continue;
    }
    const moved = next.lastTransitionTime !== lastTransitionTime;
    if (moved && next.status === status) broken.push(`${type} stays ${status}, and its time changes`);
    if ((next.lastTransitionTime ?? "") < lastTransitionTime) broken.push(`${type} became so before it did`);
  }
  return broken;
}
