/** The record of a Run: what happened, as the operator writes it. */

import { z } from "zod";
import { condition } from "./conditions.ts";
import { listMap } from "./fields.ts";

export const planCounts = z
  .object({
    create: z.int().describe("Resources to create."),
    update: z.int().describe("Resources to change in place."),
    replace: z.int().describe("Resources to destroy and create anew."),
    delete: z.int().describe("Resources to destroy."),
  })
  .describe("What the plan would do, in resources.");

/** The step of the progress while a state is only in the pod, because the store does not take it: such a pod must not end. */
export const UNSAVED_STATE_STEP = "save state";

const runPhase = z.enum([
  "Pending",
  "Starting",
  "Planning",
  "AwaitingApproval",
  "Applying",
  "Succeeded",
  "Failed",
  "Interrupted",
  "Cancelled",
]);

const diagnosticLine = z.object({
  address: z.string().max(256).optional().describe("Address of the resource."),
  summary: z.string().max(512).describe("The engine's own summary."),
  file: z.string().max(256).optional().describe("File, relative to the module."),
  line: z.int().optional().describe("Line in that file."),
});

export const outputRecord = z.object({
  name: z.string().describe("Name of the output."),
  sensitive: z.boolean().describe("True: the value is not shown anywhere."),
  digest: z.string().describe("Keyed digest of the value: tells whether it changed, and nothing else."),
});

/** How an attempt ended, in the words that Run, Environment, event and log share. */
export const runOutcome = z
  .object({
    result: z
      .enum(["Applied", "Unchanged", "Drifted", "Destroyed", "Failed", "Waiting", "Interrupted", "Cancelled"])
      .describe("Waiting: an input was missing, nothing was tried. Drifted: a Check found differences."),
    reason: z.string().max(64).describe("The reason in one word."),
    message: z.string().max(1024).describe("The reason in a sentence."),
    retry: z.enum(["Backoff", "Never"]).optional().describe("Whether another try without a change can help."),
    diagnostics: z.array(diagnosticLine).max(10).optional().describe("The first ten errors, address by address."),
    revision: z.string().max(300).optional().describe("Revision of the source that was used."),
    appliedDigest: z.string().optional().describe("Digest of what is applied now, where the apply went through."),
    stateSerial: z.int().optional().describe("Serial of the state that was stored last."),
    stateLineage: z.string().max(128).optional().describe("Lineage of that state."),
    resources: z.int().optional().describe("Resources in that state."),
    journal: z
      .object({
        entries: z.int().describe("Entries of the journal."),
        completed: z.int().optional().describe("Changes that were completed."),
        leftovers: z
          .array(
            z.object({
              address: z.string().max(256).describe("Address of the resource."),
              id: z.string().max(256).optional().describe("Id that the provider gave it, as `import` takes it."),
            }),
          )
          .max(10)
          .describe("Created and not in the stored state: import these, or remove them by hand."),
        more: z.int().optional().describe("How many more there are: `kubectl terrarium state imports` lists all."),
      })
      .optional()
      .describe("What was done, where the state may not tell it all."),
  })
  .describe("How the Run ended.");

export const runStatus = z
  .object({
    observedGeneration: z
      .int()
      .default(-1)
      .describe("Generation of the spec that this status speaks of; -1: not seen yet."),
    phase: runPhase.optional().describe("Where the attempt stands."),
    conditions: z
      .array(condition)
      .max(8)
      .optional()
      .describe("Succeeded; Reconciling and Stalled, by the rules of kstatus.")
      .meta(listMap("type")),
    pods: z
      .array(
        z.object({
          name: z.string().describe("Name of the pod."),
          uid: z.string().describe("UID of the pod: no other pod of this name is ever taken for it."),
          createdAt: z.iso.datetime().describe("When the pod was created."),
          image: z
            .string()
            .max(512)
            .optional()
            .describe("The image that the engine ran from, by digest, as the container runtime names it."),
        }),
      )
      .max(2)
      .optional()
      .describe("The pods of this Run.")
      .meta(listMap("name")),
    progress: z
      .object({
        step: z.string().max(64).describe("What happens now, as in `init`, `plan`, `apply`."),
        done: z.int().optional().describe("Resources done."),
        total: z.int().optional().describe("Resources to do."),
        current: z.string().max(256).optional().describe("Address of a resource that is being worked on."),
        updatedAt: z.iso.datetime().describe("When this was reported."),
      })
      .optional()
      .describe("Progress, at most every 5 s or 10 %."),
    plan: z
      .object({
        digest: z.string().describe("sha256 of the plan file."),
        counts: planCounts.describe("What the plan would do, in resources."),
        revision: z.string().max(300).optional().describe("Revision of the source that the plan was made from."),
        resources: z
          .array(
            z.object({
              address: z.string().max(256).describe("Address of the resource."),
              action: z
                .string()
                .max(16)
                .describe(
                  "create, update, replace, delete, forget or read; unchanged for what only moves or is imported.",
                ),
            }),
          )
          .max(50)
          .describe(
            "Resources that the plan changes, moves, imports or forgets, up to fifty: first those that it deletes or replaces.",
          ),
        truncated: z.boolean().optional().describe("True: there are more than are listed."),
        verdict: z
          .enum(["Apply", "Hold", "Refuse", "Noted"])
          .describe("What the gateway answered. Noted: the plan of a Check, which nothing comes of."),
        why: z.string().max(1024).optional().describe("Why, in a sentence: which rule it was."),
      })
      .optional()
      .describe("The plan."),
    startedAt: z.iso.datetime().optional().describe("When the pod was created."),
    plannedAt: z.iso.datetime().optional().describe("When the plan was ready."),
    heldAt: z.iso.datetime().optional().describe("Since when the plan waits for approval."),
    expiresAt: z.iso.datetime().optional().describe("When a plan that waits becomes void."),
    approvals: z
      .array(
        z.object({
          approver: z.string().max(256).describe("Who decided."),
          decision: z.enum(["Approve", "Reject"]).describe("What they decided."),
          at: z.iso.datetime().describe("When."),
          reason: z.string().max(256).optional().describe("Why, in their words."),
          ignored: z.string().max(256).optional().describe("Why it does not count, where it does not."),
        }),
      )
      .max(20)
      .optional()
      .describe("What people said about the plan: first what counts, then what does not, each in the order of time."),
    approvalsTruncated: z.boolean().optional().describe("True: more was said than is listed."),
    applyStartedAt: z.iso.datetime().optional().describe("When the apply was allowed to begin."),
    cancelRequestedAt: z.iso
      .datetime()
      .optional()
      .describe("When a person's wish to cancel the Run was heard; it is asked to stop from then on."),
    unprovenPod: z
      .string()
      .max(64)
      .optional()
      .describe(
        "UID of the pod that may still apply and cannot be proven dead: what terrarium.dev/confirm-dead has to name.",
      ),
    finishedAt: z.iso.datetime().optional().describe("When the Run ended."),
    outcome: runOutcome.optional(),
    message: z.string().max(1024).optional().describe("What the Run waits for, while it runs."),
  })
  .describe("The record.");

export type PlanCounts = z.output<typeof planCounts>;
export type RunPhase = z.output<typeof runPhase>;
export type RunOutcome = z.output<typeof runOutcome>;
export type RunStatus = z.output<typeof runStatus>;
export type OutputRecord = z.output<typeof outputRecord>;

const CLOSED: readonly (RunPhase | undefined)[] = ["Succeeded", "Failed", "Interrupted", "Cancelled"];

export const isClosedPhase = (phase: RunPhase | undefined): boolean => CLOSED.includes(phase);
