import { approvalSpec } from "../../operator/api/approval.ts";
import { environmentName, environmentSpec } from "../../operator/api/environment.ts";
import { environmentStatus } from "../../operator/api/environment-status.ts";
import type { CelRule } from "../../operator/api/fields.ts";
import { GROUP, VERSION } from "../../operator/api/names.ts";
import { runSpec } from "../../operator/api/run.ts";
import { runStatus } from "../../operator/api/run-status.ts";
import { type StructuralSchema, structuralSchemaOf } from "./structural.ts";

export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  readonly description?: string;
  /** 1: shown by `-o wide` only. */
  readonly priority?: 1;
}

/** What a kind adds to its schemas to become a custom resource definition. */
export interface KindDefinition {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: StructuralSchema;
  /** Absent: the kind has no status. */
  readonly status?: StructuralSchema;
  readonly rules: readonly CelRule[];
  readonly columns: readonly PrinterColumn[];
  readonly selectableFields: readonly string[];
}

const condition = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

const age: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

const nameSchema = structuralSchemaOf(environmentName);

const environment: KindDefinition = {
  kind: "Environment",
  plural: "environments",
  shortNames: ["env"],
  description:
    "An Environment declares what should exist: components that OpenTofu or Terraform applies in the order of their dependencies.",
  spec: structuralSchemaOf(environmentSpec),
  status: structuralSchemaOf(environmentStatus),
  rules: [
    {
      rule: `self.metadata.name.size() <= 63 && self.metadata.name.matches('${nameSchema.pattern}')`,
      message:
        "the name of an Environment has at most 63 lower-case letters, digits and '-', and begins and ends with a letter or digit: it is also the value of a label",
    },
  ],
  columns: [
    { name: "Ready", type: "string", jsonPath: condition("Ready", "status") },
    { name: "Reason", type: "string", jsonPath: condition("Ready", "reason") },
    { name: "Summary", type: "string", jsonPath: ".status.summary" },
    age,
    { name: "Drifted", type: "string", jsonPath: condition("Drifted", "status"), priority: 1 },
    { name: "Engine", type: "string", jsonPath: ".spec.engine.name", priority: 1 },
    { name: "Message", type: "string", jsonPath: condition("Ready", "message"), priority: 1 },
  ],
  selectableFields: [".spec.engine.name"],
};

const run: KindDefinition = {
  kind: "Run",
  plural: "runs",
  shortNames: [],
  description:
    "A Run is one attempt to apply or destroy one component, recorded before anything happens. Only the operator writes Runs.",
  spec: structuralSchemaOf(runSpec),
  status: structuralSchemaOf(runStatus),
  rules: [],
  columns: [
    { name: "Environment", type: "string", jsonPath: ".spec.environment.name" },
    { name: "Component", type: "string", jsonPath: ".spec.component" },
    { name: "Number", type: "integer", jsonPath: ".spec.number" },
    { name: "Operation", type: "string", jsonPath: ".spec.operation" },
    { name: "Phase", type: "string", jsonPath: ".status.phase" },
    { name: "Result", type: "string", jsonPath: ".status.outcome.reason" },
    age,
    { name: "Create", type: "integer", jsonPath: ".status.plan.counts.create", priority: 1 },
    { name: "Update", type: "integer", jsonPath: ".status.plan.counts.update", priority: 1 },
    { name: "Replace", type: "integer", jsonPath: ".status.plan.counts.replace", priority: 1 },
    { name: "Delete", type: "integer", jsonPath: ".status.plan.counts.delete", priority: 1 },
    { name: "Message", type: "string", jsonPath: ".status.outcome.message", priority: 1 },
  ],
  selectableFields: [".spec.environment.name", ".spec.component", ".spec.operation"],
};

const approval: KindDefinition = {
  kind: "Approval",
  plural: "approvals",
  shortNames: [],
  description:
    "An Approval is one person's yes or no to the plan of one Run. Whoever creates it needs the verb `approve` on the Environment.",
  spec: structuralSchemaOf(approvalSpec),
  rules: [],
  columns: [
    { name: "Environment", type: "string", jsonPath: ".spec.environment" },
    { name: "Run", type: "string", jsonPath: ".spec.run.name" },
    { name: "Decision", type: "string", jsonPath: ".spec.decision" },
    { name: "Approver", type: "string", jsonPath: ".spec.approver" },
    age,
    { name: "Reason", type: "string", jsonPath: ".spec.reason", priority: 1 },
  ],
  selectableFields: [".spec.environment", ".spec.run.name"],
};

export const KINDS: readonly KindDefinition[] = [environment, run, approval];

/** The whole CustomResourceDefinition, as plain data. */
export function customResourceDefinition(kind: KindDefinition): Readonly<Record<string, unknown>> {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${kind.plural}.${GROUP}`,
      // Deleting the definition would delete every Environment: uninstalling the chart leaves it in place.
      annotations: { "helm.sh/resource-policy": "keep" },
      labels: { "app.kubernetes.io/part-of": "terrarium" },
    },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
        categories: ["terrarium"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          ...(kind.status === undefined ? {} : { subresources: { status: {} } }),
          additionalPrinterColumns: kind.columns,
          selectableFields: kind.selectableFields.map((jsonPath) => ({ jsonPath })),
          schema: { openAPIV3Schema: rootSchema(kind) },
        },
      ],
    },
  };
}

function rootSchema(kind: KindDefinition): StructuralSchema {
  return {
    description: kind.description,
    type: "object",
    required: ["spec"],
    ...(kind.rules.length > 0 ? { "x-kubernetes-validations": kind.rules } : {}),
    properties: {
      apiVersion: { type: "string", description: `Version of this representation: ${GROUP}/${VERSION}.` },
      kind: { type: "string", description: `Kind of the object: ${kind.kind}.` },
      metadata: { type: "object" },
      spec: kind.spec,
      // An object that nobody has seen yet must not look healthy to tools that compare generations.
      ...(kind.status === undefined ? {} : { status: { ...kind.status, default: { observedGeneration: -1 } } }),
    },
  };
}
