import type { FreshCondition, Reason } from "../api/conditions.ts";
import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS } from "../api/names.ts";
import { asTime } from "../schedule/gate.ts";
import { ageOf, lifeOf } from "../schedule/lifetime.ts";

const howToExtend = ({ metadata }: Environment): string =>
  `kubectl annotate environment ${metadata.name} --overwrite ${ANNOTATIONS.extendUntil}=<time, as in 2026-12-31T18:00:00Z>`;

/** The condition of an Environment whose lifetime has an end, or had one: what people may wait for does not disappear. */
export function expiring(environment: Environment, nowMs: number): readonly FreshCondition[] {
  const life = lifeOf(environment);
  const hadEnd = environment.status?.conditions?.some(({ type }) => type === "Expiring") ?? false;
  if (life === undefined && !hadEnd) return [];
  const endsAt = life === undefined ? "" : asTime(life.endsAtMs);
  const says = (status: "True" | "False", reason: Reason, message: string): readonly FreshCondition[] => [
    { type: "Expiring", status, reason, message },
  ];
  switch (ageOf(life, nowMs)) {
    case "unending":
      return says("False", "Lasting", "its lifetime has no end");
    case "lasting":
      return says("False", "Lasting", `its lifetime ends at ${endsAt}`);
    case "expiring":
      return says(
        "True",
        "Expiring",
        `everything is destroyed at ${endsAt}; to put that off: ${howToExtend(environment)}`,
      );
    case "expired":
      return says("False", "Expired", `its lifetime ended at ${endsAt}`);
  }
}

export function expiredText(environment: Environment): string {
  const life = lifeOf(environment);
  const endedAt = life === undefined ? "" : ` at ${asTime(life.endsAtMs)}`;
  return `the lifetime ended${endedAt}, and nothing is left; a later end in spec.lifetime brings it back, or: ${howToExtend(environment)}`;
}
