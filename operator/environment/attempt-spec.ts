import type { RunRules } from "../api/approval.ts";
import type { Environment } from "../api/environment.ts";
import { ANNOTATIONS } from "../api/names.ts";
import type { RunSpec } from "../api/run.ts";
import { type Attempted, attemptNumber } from "./attempts.ts";
import type { ComponentSeen } from "./observation.ts";

/** What makes this try the same as an earlier one, as things are now. */
export function attemptedNow({ metadata }: Environment, desiredDigest: string): Attempted {
  const request = metadata.annotations?.[ANNOTATIONS.requestedAt];
  return { desiredDigest, generation: metadata.generation ?? 0, request };
}

type Intent = Pick<RunSpec, "operation" | "inputsDigest" | "engine" | "cause" | "inputs" | "builtOn"> & {
  readonly rules: RunRules;
};

/** The spec of the component's next Run: what it means to do, and which try of it this is. */
export function attemptSpec(
  { observation, past }: ComponentSeen,
  wanted: Attempted,
  { rules, ...intent }: Intent,
): RunSpec {
  const { name, uid } = observation.environment.metadata;
  const { desiredDigest, generation, request } = wanted;
  return {
    environment: { name, uid, generation },
    component: past.name,
    number: past.nextNumber,
    desiredDigest,
    ...(request === undefined ? {} : { request }),
    attempt: attemptNumber(past, wanted),
    ...intent,
    ...(Object.keys(rules).length === 0 ? {} : { rules }),
  };
}
