import { z } from "zod";
import { approvalRules, maxDeletes, protect } from "./approval.ts";
import { component, credential, deletionPolicy, MOST_VARIABLES, runner, timeouts, variable } from "./component.ts";
import { drift } from "./drift.ts";
import type { EnvironmentStatus } from "./environment-status.ts";
import { durationBetween, identifier, listMap, objectName, rules, shortName } from "./fields.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { source } from "./source.ts";
import { lifetime, window } from "./time.ts";

export const engine = z
  .object({
    name: z.enum(["opentofu", "terraform"]).describe("opentofu (default) or terraform. It cannot be changed later."),
    version: z
      .string()
      .max(20)
      .regex(/^[0-9]+\.[0-9]+(\.[0-9]+)?$/)
      .meta({ refusal: "the engine's version is written as in 1.12 or 1.12.6" })
      .optional()
      .describe("Version in the operator's catalogue, as in `1.12`. Absent: the catalogue's default."),
  })
  .describe("The engine that plans and applies.")
  .meta(
    rules({
      rule: "self.name == oldSelf.name",
      message: "the engine's name cannot be changed: make a new Environment, or move the state",
    }),
  );

export const output = z
  .object({
    name: identifier.describe("Name of the output of the Environment."),
    valueFrom: z
      .object({
        output: z
          .object({
            component: shortName.describe("Component that has the output."),
            name: identifier.describe("Name of the output in that component's module."),
          })
          .describe("An output of a component."),
      })
      .describe("Where the value comes from."),
  })
  .describe("A value that the Environment offers to others.");

/** Collects the names once: looking each reference up in the components costs more than the API server allows. */
const namesOfComponents = (condition: string) => `[self.components.map(o, o.name)].all(names, ${condition})`;

const SLEEPS_DESTROYED = "(has(c.sleep) && has(c.sleep.destroy) && c.sleep.destroy)";
const namesOfSleepers = (condition: string) =>
  `[self.components.filter(c, ${SLEEPS_DESTROYED}).map(c, c.name)].all(names, ${condition})`;

export const environmentSpec = z
  .object({
    engine: engine.default({ name: "opentofu" }),
    source: source.optional(),
    variables: z
      .array(variable)
      .max(MOST_VARIABLES)
      .optional()
      .describe("Given to every component whose module declares them.")
      .meta(listMap("name")),
    credentials: z
      .array(credential)
      .max(16)
      .optional()
      .describe("Given to the engine of every component.")
      .meta(listMap("name")),
    runner: runner.optional(),
    timeouts: timeouts.optional(),
    drift: drift.optional(),
    components: z
      .array(component)
      .min(1)
      .max(64)
      .describe("What the environment is made of: 1 to 64 components.")
      .meta(listMap("name")),
    outputs: z.array(output).max(64).optional().describe("Outputs of the Environment.").meta(listMap("name")),
    writeOutputsTo: z
      .object({
        configMap: objectName.optional().describe("ConfigMap that receives the outputs that are not sensitive."),
        secret: objectName.optional().describe("Secret that receives the sensitive outputs."),
      })
      .optional()
      .describe("Objects that receive the outputs: strings as they are, other values as JSON."),
    retry: z
      .object({
        limit: z
          .int()
          .min(0)
          .max(100)
          .default(5)
          .describe("How many times a failed component is tried again, 0 to 100."),
      })
      .optional()
      .describe(
        "Failed Runs are tried again after 10 s, 20 s, 40 s … up to 10 min, with jitter. A change starts afresh.",
      ),
    history: z
      .object({
        successes: z
          .int()
          .min(1)
          .max(100)
          .default(10)
          .describe("Runs of each component that went well, and as many whose plans became void, 1 to 100."),
        failures: z.int().min(1).max(100).default(20).describe("All other Runs of each component, 1 to 100."),
        maxAge: durationBetween("1m", "8784h")
          .optional()
          .describe(
            "Runs that went well, or whose plans became void, and ended longer ago go before that; all others after twice this time.",
          ),
      })
      .optional()
      .describe(
        "How many closed Runs are kept. The newest, and the newest that went well, stay in any case; what goes takes its whole record along.",
      ),
    deletionPolicy: deletionPolicy.optional(),
    protect: protect.optional(),
    maxDeletes: maxDeletes.optional(),
    approval: approvalRules
      .optional()
      .describe(
        "Who must approve a plan before it is applied. Absent: every plan of a wanted change is applied at once.",
      ),
    adopt: z
      .object({ uid: z.string().min(1).max(64).describe("UID of the Environment that owned the states until now.") })
      .optional()
      .describe("Takes over states that another Environment of the same name owned and did not release."),
    windows: z
      .array(window)
      .max(8)
      .optional()
      .describe(
        "When changes may begin: in a window that allows them and in none that denies them. Without one that allows, always. What is under way at the end of a window ends by itself.",
      )
      .meta(listMap("name")),
    lifetime: lifetime.optional(),
    deletionProtection: z
      .boolean()
      .optional()
      .describe(
        "True: the Environment cannot be deleted until this is false. The end of its lifetime does not delete it.",
      ),
    suspend: z
      .boolean()
      .default(false)
      .describe(
        "True: nothing begins to apply or destroy. No Run is started, one without a pod ends, and a plan waits. A running apply ends first.",
      ),
  })
  .describe("What should exist.")
  .meta(
    rules(
      {
        rule: namesOfComponents("self.components.all(c, !has(c.dependsOn) || c.dependsOn.all(d, d in names))"),
        message: "dependsOn names a component that is not in components",
      },
      {
        rule: namesOfComponents(
          "self.components.all(c, !has(c.terraform.variables) || c.terraform.variables.all(v, !has(v.valueFrom) || !has(v.valueFrom.output) || v.valueFrom.output.component in names))",
        ),
        message: "valueFrom.output names a component that is not in components",
      },
      {
        rule: namesOfComponents("!has(self.outputs) || self.outputs.all(o, o.valueFrom.output.component in names)"),
        message: "outputs names a component that is not in components",
      },
      {
        rule: "!has(self.variables) || !self.variables.exists(v, has(v.valueFrom) && has(v.valueFrom.output))",
        message:
          "a variable of the whole Environment cannot come from an output: give it to the components that need it",
      },
      {
        rule: "self.components.all(c, !has(c.formerName) || !self.components.exists(o, o.name == c.formerName))",
        message: "formerName is still the name of a component",
      },
      {
        rule: "self.components.all(c, !has(c.sleep)) || (has(self.lifetime) && has(self.lifetime.sleep))",
        message: "a component says how it sleeps: say in lifetime.sleep when it does",
      },
      {
        rule: namesOfSleepers(
          "self.components.all(c, c.name in names || ((!has(c.dependsOn) || !c.dependsOn.exists(d, d in names)) && (!has(c.terraform.variables) || !c.terraform.variables.exists(v, has(v.valueFrom) && has(v.valueFrom.output) && v.valueFrom.output.component in names))))",
        ),
        message: "what uses a component that is destroyed in its sleep must be so, too: give it sleep: {destroy: true}",
      },
      {
        rule: `self.components.all(c, !${SLEEPS_DESTROYED} || (has(c.deletionPolicy) ? c.deletionPolicy : (has(self.deletionPolicy) ? self.deletionPolicy : 'Destroy')) == 'Destroy')`,
        message: "sleep.destroy and deletionPolicy Retain contradict each other: choose one for the component",
      },
      {
        rule: "!has(self.deletionProtection) || !self.deletionProtection || !has(self.lifetime) || self.lifetime.then != 'DeleteObject'",
        message: "deletionProtection and lifetime.then DeleteObject contradict each other: choose one",
      },
      {
        rule: "has(self.source) || self.components.all(c, has(c.terraform.source))",
        message: "give a source for the Environment, or one for each component",
      },
    ),
  );

/** The name is also the value of a label. */
export const environmentName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);

export type EnvironmentSpec = z.output<typeof environmentSpec>;

export interface Environment {
  readonly apiVersion: string;
  readonly kind: "Environment";
  readonly metadata: ObjectMeta;
  readonly spec: EnvironmentSpec;
  readonly status?: EnvironmentStatus;
}
