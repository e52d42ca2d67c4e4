import type { ComponentSeen } from "./observation.ts";
import type { Answer } from "./verdict.ts";

/**
 * A rename that was cut off is finished before anything else, whatever is declared by now: no Run of the old name gets anywhere until then,
 * and the state may have its new name already.
 */
export function unfinishedMove({ observation, past }: ComponentSeen): Answer | undefined {
  const { movingTo, owner } = past.record ?? {};
  if (movingTo === undefined || owner?.environmentUid !== observation.environment.metadata.uid) return undefined;
  return {
    state: "Pending",
    reason: "Pending",
    message: `the state moves to ${movingTo}`,
    step: { type: "renameState", from: past.name, to: movingTo },
  };
}
