import { z } from "zod";
import { approvalRules, maxDeletes, protect } from "./approval.ts";
import { drift } from "./drift.ts";
import {
  configMapKeyRef,
  durationBetween,
  identifier,
  listMap,
  objectName,
  objectRef,
  quantity,
  rules,
  secretKeyRef,
  shortName,
} from "./fields.ts";
import { source } from "./source.ts";
import { componentSleep } from "./time.ts";

const outputRef = z
  .object({
    component: shortName.describe("Component that has the output. The reference is also a dependency."),
    name: identifier.describe("Name of the output in that component's module."),
  })
  .describe("An output of another component.");

export const variable = z
  .object({
    name: identifier.describe(
      "Name of the variable. Those of the Environment reach the modules that declare them; those of a component must be declared by its module.",
    ),
    value: z
      .json()
      .optional()
      .describe("Any JSON value. Write null, and integers beyond 2^53, as strings.")
      .meta({ "x-kubernetes-preserve-unknown-fields": true }),
    valueFrom: z
      .object({
        secretKeyRef: secretKeyRef
          .optional()
          .describe("A key of a Secret. The runner's agent reads it; the operator never does."),
        configMapKeyRef: configMapKeyRef.optional().describe("A key of a ConfigMap."),
        output: outputRef.optional().describe("An output of another component, which is then also a dependency."),
      })
      .optional()
      .describe("Where the value comes from: exactly one of secretKeyRef, configMapKeyRef and output.")
      .meta(
        rules({
          rule: "[has(self.secretKeyRef), has(self.configMapKeyRef), has(self.output)].filter(x, x).size() == 1",
          message: "valueFrom is exactly one of secretKeyRef, configMapKeyRef and output",
        }),
      ),
  })
  .describe("A variable of the module.")
  .meta({ oneOf: [{ required: ["value"] }, { required: ["valueFrom"] }] });

export const credential = z
  .object({
    name: shortName.describe("Name of this entry."),
    secretRef: objectRef.describe("Secret that holds the credentials."),
    as: z
      .enum(["Env", "Files", "Git"])
      .describe(
        "Env: every key is an environment variable of the engine. Files: every key is a file under /terrarium/credentials/<name>. Git: `username` and `password` (or `token`) for private modules that init fetches: sent to the source's host and to every host that its modules name, or only to those in a key `url`.",
      ),
    phases: z
      .array(z.enum(["Plan", "Apply", "Destroy"]))
      .min(1)
      .max(3)
      .default(["Plan", "Apply", "Destroy"])
      .describe("Phases of a Run in which the engine has them.")
      .meta({ "x-kubernetes-list-type": "set" }),
    keepForDestroy: z
      .boolean()
      .default(false)
      .describe("Keep an encrypted copy with the state, so that destroying works after the Secret is gone."),
  })
  .describe("Credentials for the engine.");

const quantities = z.record(z.string().max(317), quantity).meta({ maxProperties: 16 });

export const runner = z
  .object({
    serviceAccountName: objectName
      .optional()
      .describe("ServiceAccount of the pod, for workload identity. Default: `default`."),
    resources: z
      .object({
        requests: quantities.optional().describe("Requests of the engine container, by resource."),
        limits: quantities.optional().describe("Limits of the engine container, by resource."),
      })
      .optional()
      .describe(
        "Resources of the engine container, as in a pod. Requests are 100m and 128Mi unless they are given; limits there are none. The agent beside it requests 20m and 64Mi, and may have 1Gi of memory.",
      ),
    nodeSelector: z
      .record(z.string().max(317), z.string().max(63))
      .optional()
      .describe("Labels that the node must have.")
      .meta({ maxProperties: 16 }),
    tolerations: z
      .array(
        z.object({
          key: z.string().max(317).optional().describe("Key of the taint. Absent: every taint (with Exists)."),
          operator: z.enum(["Exists", "Equal"]).optional().describe("How the value is compared. Default: Equal."),
          value: z.string().max(63).optional().describe("Value of the taint, for Equal."),
          effect: z
            .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
            .optional()
            .describe("Effect of the taint. Absent: every effect."),
          tolerationSeconds: z
            .int()
            .min(0)
            .optional()
            .describe(
              "For NoExecute: how long the pod may stay. One that is evicted in an apply stops, saves its state, and the next try goes on from there.",
            ),
        }),
      )
      .max(16)
      .optional()
      .describe("Taints that the pod tolerates, as in a pod."),
    imagePullSecrets: z.array(objectRef).max(8).optional().describe("Secrets for pulling the runner image."),
    caBundle: z
      .object({ configMapKeyRef: configMapKeyRef.describe("Key of a ConfigMap that holds the certificates.") })
      .optional()
      .describe("Certificates (PEM) that the engine and git trust besides the public ones."),
  })
  .describe("The pod in which the engine runs.");

const PHASES = { plan: "init and plan together", apply: "apply or destroy" } as const;
const phaseTimeout = (phase: keyof typeof PHASES) => `Longest time for ${PHASES[phase]}, between 10s and 24h.`;

export const timeouts = z
  .object({
    plan: durationBetween("10s", "24h").default("15m").describe(phaseTimeout("plan")),
    apply: durationBetween("10s", "24h").default("60m").describe(phaseTimeout("apply")),
  })
  .describe("Deadlines of the phases. At the deadline the engine is asked to stop, so that it can save its state.");

/** Without defaults: what is not given here is the Environment's. */
const componentTimeouts = z
  .object({
    plan: durationBetween("10s", "24h").optional().describe(phaseTimeout("plan")),
    apply: durationBetween("10s", "24h").optional().describe(phaseTimeout("apply")),
  })
  .describe("Deadlines of this component's phases, each in place of the Environment's.");

export const deletionPolicy = z
  .enum(["Destroy", "Retain"])
  .describe(
    "What becomes of the real objects when the component or the Environment is deleted: Destroy (default) or Retain, which keeps them and releases the state.",
  );

/** That a component gives itself, and as many that the Environment gives to all. */
export const MOST_VARIABLES = 64;

export const terraform = z
  .object({
    source: source.optional(),
    path: z
      .string()
      .max(512)
      .default(".")
      .describe("Folder of the root module inside the source.")
      .meta(
        rules({
          rule: "self == '.' || (self.matches('^[A-Za-z0-9_.][A-Za-z0-9_./ +@-]*$') && !self.split('/').exists(p, p == '..'))",
          message: "path must stay inside the source: no leading '/' or '-', no '..'",
        }),
      ),
    variables: z
      .array(variable)
      .max(MOST_VARIABLES)
      .optional()
      .describe("Variables of this component; they take precedence over those of the Environment.")
      .meta(listMap("name")),
    state: z
      .object({
        backend: z
          .enum(["Managed"])
          .describe(
            "Managed: Terrarium stores the state, even when the module has a backend or cloud block of its own.",
          ),
      })
      .optional()
      .describe("Needed only when the module has a backend or cloud block of its own."),
  })
  .describe("A root module that OpenTofu or Terraform applies.");

export const component = z
  .object({
    name: shortName.describe("Name of the component: at most 20 characters, unique in the Environment."),
    formerName: shortName
      .optional()
      .describe("Name that the component had before. Its state moves; nothing is destroyed."),
    dependsOn: z
      .array(shortName)
      .max(64)
      .optional()
      .describe("Components that must be satisfied first, besides those whose outputs are used.")
      .meta({ "x-kubernetes-list-type": "set" }),
    terraform,
    credentials: z
      .array(credential)
      .max(16)
      .optional()
      .describe(
        "Credentials of this component, besides those of the Environment; where both have a name, the one here counts.",
      )
      .meta(listMap("name")),
    runner: runner
      .optional()
      .describe(
        "The pod of this component. A field that is given here takes the place of the Environment's, as a whole.",
      ),
    timeouts: componentTimeouts.optional(),
    drift: drift.optional(),
    deletionPolicy: deletionPolicy.optional(),
    sleep: componentSleep.optional(),
    protect: protect.optional(),
    maxDeletes: maxDeletes.optional(),
    approval: approvalRules
      .optional()
      .describe("Who must approve plans of this component, in place of the Environment's."),
  })
  .describe("One part of the environment, with a state of its own.")
  .meta(
    rules(
      {
        rule: "!has(self.dependsOn) || !self.dependsOn.exists(d, d == self.name)",
        message: "a component cannot depend on itself",
      },
      {
        rule: "!has(self.terraform.variables) || !self.terraform.variables.exists(v, has(v.valueFrom) && has(v.valueFrom.output) && v.valueFrom.output.component == self.name)",
        message: "a component cannot use its own output",
      },
      { rule: "!has(self.formerName) || self.formerName != self.name", message: "formerName must differ from name" },
    ),
  );

export type Variable = z.output<typeof variable>;
export type Credential = z.output<typeof credential>;
export type Timeouts = z.output<typeof timeouts>;
export type DeletionPolicy = z.output<typeof deletionPolicy>;
export type Component = z.output<typeof component>;
