import { z } from "zod";
import { durationBetween, identifier, listMap, matching, rules, shortName } from "./fields.ts";

/** When an environment may change: what people write about clocks and calendars. */

/** One field of a cron expression: `*`, values, ranges, steps, and lists of these. */
const cronField = (value: string): string => {
  const item = `(\\*(/[1-9][0-9]?)?|${value}(-${value}(/[1-9][0-9]?)?)?)`;
  return `${item}(,${item})*`;
};

const CRON = new RegExp(
  `^${[
    cronField("[0-5]?[0-9]"),
    cronField("([01]?[0-9]|2[0-3])"),
    cronField("(0?[1-9]|[12][0-9]|3[01])"),
    cronField("(0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"),
    cronField("([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)"),
  ].join(" ")}$`,
);

export const cron = matching(
  100,
  CRON,
  'a schedule is a cron expression of five fields (minute, hour, day of the month, month, day of the week), as in "0 22 * * 1-5"',
);

export const timeZone = matching(
  64,
  /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/,
  "a time zone has a name of the IANA database, as in Europe/Berlin or UTC",
)
  .default("UTC")
  .describe("Time zone of the schedule: a name of the IANA database, as in `Europe/Berlin`. Default: `UTC`.");

export const window = z
  .object({
    name: shortName.describe("Name of the window."),
    type: z
      .enum(["Allow", "Deny"])
      .default("Allow")
      .describe("Allow (default): changes may begin while it is open. Deny: none may, whatever else is open."),
    schedule: cron.describe(
      "When it opens: a cron expression of five fields, as in `0 22 * * 1-5`. A time that the clocks skip counts at the moment at which they do; one that comes twice counts the first time, unless minutes or hours have a `*` or a step.",
    ),
    duration: durationBetween("1m", "168h").describe("How long it stays open each time, between 1m and 168h."),
    timeZone,
  })
  .describe("A time in which changes may begin, or may not.");

export type Window = z.output<typeof window>;

const sleep = z
  .object({
    schedule: cron.describe("When it falls asleep: a cron expression of five fields, as in `0 20 * * 1-5`."),
    wake: cron.describe("When it wakes, as in `0 7 * * 1-5`. Where both name the same moment, it is awake."),
    timeZone,
  })
  .describe("When the components that say how they sleep are asleep.");

/** Variables that a component is given in its sleep. */
export const MOST_ASLEEP = 16;

/** How one component sleeps. */
export const componentSleep = z
  .object({
    destroy: z
      .boolean()
      .optional()
      .describe("True: everything that it made is destroyed, and created anew when it wakes."),
    variables: z
      .array(
        z
          .object({
            name: identifier.describe("Name of the variable."),
            value: z.json().describe("Its value while asleep.").meta({ "x-kubernetes-preserve-unknown-fields": true }),
          })
          .describe("A variable of the component, with its value while asleep."),
      )
      .min(1)
      .max(MOST_ASLEEP)
      .optional()
      .describe("It is applied with these variables, as in `replicas: 0`; they take precedence over all others.")
      .meta(listMap("name")),
  })
  .describe("How the component sleeps, when lifetime.sleep says that it does: exactly one of destroy and variables.")
  .meta(
    rules({
      rule: "(has(self.destroy) && self.destroy) != has(self.variables)",
      message: "sleep is exactly one of destroy: true and variables",
    }),
  );

export type Sleep = z.output<typeof sleep>;

export const lifetime = z
  .object({
    ttl: durationBetween("1m", "87600h")
      .optional()
      .describe("How long the Environment lives from its creation, between 1m and 87600h."),
    until: z.iso
      .datetime({ offset: true })
      .max(64)
      .optional()
      .describe("When its life ends, as in `2026-12-31T18:00:00Z`. In the past: at once."),
    warnBefore: durationBetween("1m", "720h")
      .default("1h")
      .describe("How long before the end the condition Expiring becomes True, between 1m and 720h."),
    // biome-ignore lint/suspicious/noThenProperty: a word of the API, whose value is never a function.
    then: z
      .enum(["Destroy", "DeleteObject"])
      .default("Destroy")
      .describe(
        "What happens at the end. Destroy (default): everything is destroyed, and the object stays, so that a GitOps tool does not make it anew. DeleteObject: the object is deleted after that.",
      ),
    sleep: sleep.optional(),
  })
  .describe(
    "How long the Environment lives, and when it sleeps. Extend it by editing, or by the annotation terrarium.dev/extend-until.",
  )
  .meta(
    rules({
      rule: "[has(self.ttl), has(self.until)].filter(x, x).size() == 1 || (has(self.sleep) && !has(self.ttl) && !has(self.until))",
      message: "a lifetime has one end (ttl or until), or only a sleep",
    }),
  );

export type Lifetime = z.output<typeof lifetime>;
