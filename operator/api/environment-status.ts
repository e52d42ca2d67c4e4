import { z } from "zod";
import { deletionPolicy } from "./component.ts";
import { condition } from "./conditions.ts";
import { listMap } from "./fields.ts";
import { planCounts } from "./run-status.ts";

/** What an Environment says of itself: the operator's record, which people and tools read. */

/** Those of the spec, and as many that were removed. */
export const MOST_COMPONENTS = 128;

const componentState = z.enum([
  "Pending",
  "Blocked",
  "Planning",
  "AwaitingApproval",
  "Applying",
  "Ready",
  "Drifted",
  "Failed",
  "Interrupted",
  "Stalled",
  "Destroying",
  "Destroyed",
  "Suspended",
]);

const componentStatus = z
  .object({
    name: z.string().describe("Name of the component."),
    state: componentState.describe("Where the component stands."),
    reason: z.string().optional().describe("Why, in one word, where the state does not say it all."),
    message: z.string().max(1024).optional().describe("Why, in a sentence that says what to do."),
    run: z.string().optional().describe("The Run that this state comes from."),
    number: z.int().optional().describe("Number of that Run."),
    revision: z.string().max(300).optional().describe("Revision of the source that is applied, as in `main@sha1:…`."),
    plan: planCounts.optional(),
    approval: z
      .object({
        planDigest: z.string().describe("Digest of the plan that waits: an Approval names it."),
        required: z.int().describe("How many different people must approve it."),
        given: z.int().describe("How many have."),
        since: z.iso.datetime().describe("Since when it waits."),
        expiresAt: z.iso.datetime().describe("When it becomes void."),
      })
      .optional()
      .describe("The plan that waits for approval."),
    appliedAt: z.iso.datetime().optional().describe("When it was last applied."),
    retryAt: z.iso.datetime().optional().describe("When the next try begins."),
    deletionPolicy: deletionPolicy.optional(),
    lock: z
      .object({
        run: z.string().describe("Run that took the lock, or has claimed the state without it."),
        pod: z.string().describe("Its pod."),
        since: z.iso.datetime().describe("Since when."),
        standing: z
          .enum(["Live", "Orphaned", "Foreign"])
          .describe(
            "Live: that Run is under way. Orphaned: it cannot give it back any more. Foreign: it is of another Environment.",
          ),
      })
      .optional()
      .describe("Who holds the lock of the state: a Run while it applies or destroys, or whoever is in the way."),
    interrupted: z
      .string()
      .optional()
      .describe(
        "Name of the Run whose apply was cut off, until an apply has ended well. Its journal lists what it made that is in no state.",
      ),
    retries: z.int().optional().describe("Tries of the present desired state that have failed."),
    drift: z
      .object({
        counts: planCounts.describe("What a correction would do, in resources."),
        addresses: z
          .array(z.string().max(128))
          .max(3)
          .describe("The first three addresses that differ; the Run has more."),
        since: z.iso.datetime().describe("When it was found first."),
        run: z.string().describe("The Check that found it."),
      })
      .optional()
      .describe("What differs from what was applied, where something does."),
  })
  .describe("State of one component.");

export const environmentStatus = z
  .object({
    observedGeneration: z
      .int()
      .default(-1)
      .describe("Generation of the spec that this status speaks of; -1: not seen yet."),
    conditions: z
      .array(condition)
      .max(16)
      .optional()
      .describe(
        "Ready, Reconciling and Stalled, by the rules of kstatus; AwaitingApproval, once a plan has waited; Drifted, once somebody has looked; Expiring, once a lifetime has an end.",
      )
      .meta(listMap("type")),
    summary: z.string().max(64).optional().describe("Components that are ready, of all, as in `2/3 ready`."),
    components: z
      .array(componentStatus)
      .max(MOST_COMPONENTS)
      .optional()
      .describe("Every component of the spec, and removed ones until their objects are gone.")
      .meta(listMap("name")),
    outputs: z
      .array(
        z.object({
          name: z.string().describe("Name of the output."),
          value: z
            .json()
            .optional()
            .describe("Its value, where it is not sensitive and not longer than 256 characters.")
            .meta({ "x-kubernetes-preserve-unknown-fields": true }),
          sensitive: z.boolean().optional().describe("True: the value is only in the Secret of writeOutputsTo."),
          digest: z
            .string()
            .optional()
            .describe(
              "Keyed digest of the value: tells whether it changed, and nothing else. Absent while it is not where writeOutputsTo wants it.",
            ),
        }),
      )
      .max(64)
      .optional()
      .describe("Outputs of the Environment.")
      .meta(listMap("name")),
    handledRequest: z
      .string()
      .max(256)
      .optional()
      .describe("Value of the annotation terrarium.dev/requestedAt that was last acted upon."),
    deletedWithMany: z
      .boolean()
      .optional()
      .describe(
        "True: it was deleted together with many others. No further destroy begins before terrarium.dev/confirm-delete=true.",
      ),
  })
  .describe("What is, as the operator saw it last.");

export type ComponentState = z.output<typeof componentState>;
export type ComponentStatus = z.output<typeof componentStatus>;
export type EnvironmentStatus = z.output<typeof environmentStatus>;
