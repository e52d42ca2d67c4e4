import { z } from "zod";
import { digestOf } from "./digest.ts";
import { durationBetween } from "./fields.ts";

/** `*` stands for any number of any characters; everything else for itself. */
const pattern = z.string().min(1).max(253);

export const ignoredDrift = z
  .object({
    address: pattern
      .optional()
      .describe(
        "Addresses that the rule is for, as in `module.app.kubernetes_deployment.*`; `*` stands for any characters. Absent: every address.",
      ),
    attributes: z
      .array(pattern)
      .min(1)
      .max(32)
      .optional()
      .describe(
        "Attributes whose changes are ignored, as in `tags*`; with a dot, paths inside of them, as in `tags.LastBackup` or `tags.*` (lists, and what is sensitive, are named as a whole). A difference is ignored when all that differs in the object is. Absent: every difference, also that the object is gone.",
      )
      .meta({ "x-kubernetes-list-type": "set" }),
  })
  .describe("Differences that do not count as drift.");

export const drift = z
  .object({
    interval: durationBetween("1m", "720h")
      .optional()
      .describe(
        "How long after its last plan a component is looked at again, between 1m and 720h (30 days), give or take a tenth. Absent: nobody looks.",
      ),
    action: z
      .enum(["Report", "Propose", "Correct"])
      .optional()
      .describe(
        "What becomes of drift. Report (default): it is told. Propose: a plan that brings back what was applied waits for approval, whatever the rules say. Correct: it is applied under the ordinary rules.",
      ),
    ignore: z
      .array(ignoredDrift)
      .max(32)
      .optional()
      .describe("Differences that do not count. Where only such are left, there is no drift."),
  })
  .describe("Whether, and how often, what was applied is compared with what is there.");

export type Drift = z.output<typeof drift>;
export type IgnoredDrift = z.output<typeof ignoredDrift>;

/** Tells whether two looks left out the same. Absent rules are none. */
export const digestOfIgnore = (rules: readonly IgnoredDrift[] = []): string => digestOf(rules);
