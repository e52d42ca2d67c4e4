import { z } from "zod";
import { approvalRules, maxDeletes, protect, runRules } from "./approval.ts";
import { credential, MOST_VARIABLES, runner, timeouts, variable } from "./component.ts";
import { ignoredDrift } from "./drift.ts";
import { listMap, rules } from "./fields.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { isClosedPhase, type RunStatus } from "./run-status.ts";
import { source } from "./source.ts";
import { MOST_ASLEEP } from "./time.ts";

export const operation = z
  .enum(["Apply", "Destroy", "Check"])
  .describe(
    "Apply: bring the component to what is desired. Destroy: remove everything that it made. Check: look whether what was applied is still what is there, and change nothing.",
  );

export const cause = z
  .object({
    type: z
      .enum([
        "Created",
        "SpecChanged",
        "SourceChanged",
        "OutputsChanged",
        "Requested",
        "Retry",
        "Recovery",
        "Removed",
        "Deleted",
        "Expired",
        "Asleep",
        "Woken",
        "Drift",
        "DriftFound",
        "StateReplaced",
      ])
      .describe("What made this Run necessary."),
    detail: z.string().max(512).optional().describe("The same in a sentence."),
  })
  .describe("Why this Run exists.");

/** Everything that an attempt needs, as it was when the attempt was decided. */
export const runInputs = z
  .object({
    source,
    path: z.string().describe("Folder of the root module inside the source."),
    revision: z
      .string()
      .optional()
      .describe("Commit that the git ref named when the Run was made. Absent: the runner's agent looks it up."),
    content: z
      .string()
      .optional()
      .describe("Digest of what the watched folders held at that commit. Absent: every commit counts."),
    variables: z
      .array(variable)
      .max(2 * MOST_VARIABLES + MOST_ASLEEP)
      .describe("Variables of Environment and component, merged, and with those of its sleep.")
      .meta(listMap("name")),
    ownVariables: z
      .array(z.string())
      .max(MOST_VARIABLES + MOST_ASLEEP)
      .optional()
      .describe("Names of those that the component itself gives: its module must declare them."),
    credentials: z
      .array(credential)
      .max(32)
      .describe("Credentials of Environment and component, merged.")
      .meta(listMap("name")),
    runner,
    timeouts,
    dependsOn: z
      .array(z.string())
      .max(64)
      .default([])
      .describe("Components that this one needs: destroying goes the other way round."),
    backend: z.enum(["Managed"]).optional().describe("Managed: a backend block of the module is overridden."),
    approval: approvalRules
      .optional()
      .describe("The component's own approval rules: they count for its removal, when its declaration is gone."),
    protect: protect.optional(),
    maxDeletes: maxDeletes.optional(),
  })
  .describe("The component as it was declared when the Run was made.");

export const runSpec = z
  .object({
    environment: z
      .object({
        name: z.string().describe("Name of the Environment."),
        uid: z.string().describe("UID of the Environment."),
        generation: z.int().describe("Generation of the Environment's spec that the Run acts upon."),
      })
      .describe("The Environment that the Run belongs to."),
    component: z.string().describe("Name of the component, which is also the name of its state."),
    number: z.int().min(1).describe("Runs of a component are numbered from 1."),
    operation,
    desiredDigest: z
      .string()
      .describe("Digest (sha256) over engine, source, variables and the outputs that they come from."),
    engine: z
      .object({
        name: z.enum(["opentofu", "terraform"]).describe("The engine."),
        version: z.string().describe("Its version in the catalogue."),
        image: z.string().describe("The runner image, by digest where the catalogue gives one."),
      })
      .describe("The engine, as the catalogue resolved it when the Run was made."),
    inputsDigest: z.string().describe("The same digest without the revision, which the runner may have to look up."),
    cause,
    request: z.string().optional().describe("Value of terrarium.dev/requestedAt that this Run answers."),
    attempt: z.int().min(0).describe("Failed tries of the same desired state before this one."),
    inputs: runInputs,
    rules: runRules.optional(),
    builtOn: z
      .array(
        z.object({
          component: z.string().describe("A component that this one needs."),
          serial: z.int().optional().describe("Serial of its stored state. Absent: it had none."),
          lineage: z.string().max(128).optional().describe("Lineage of that state."),
        }),
      )
      .max(64)
      .optional()
      .describe(
        "The states of the components that this one needs, as they were when the Run was made: a plan that waits is void when one of them has changed.",
      )
      .meta(listMap("component")),
    drift: z
      .object({
        ignore: z.array(ignoredDrift).max(32).default([]).describe("Differences that do not count."),
      })
      .optional()
      .describe("What a Check is to find."),
  })
  .describe("The intent, recorded before anything happens. It never changes.")
  .meta(rules({ rule: "self == oldSelf", message: "a Run records one attempt: its spec never changes" }));

export type Operation = z.output<typeof operation>;
export type Cause = z.output<typeof cause>;
export type RunInputs = z.output<typeof runInputs>;
export type RunSpec = z.output<typeof runSpec>;

export interface Run {
  readonly apiVersion: string;
  readonly kind: "Run";
  readonly metadata: ObjectMeta;
  readonly spec: RunSpec;
  readonly status?: RunStatus;
}

/** The attempt has ended: nothing more is begun for this Run. */
export function isClosed({ status }: Pick<Run, "status">): boolean {
  return isClosedPhase(status?.phase);
}
