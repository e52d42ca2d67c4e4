import type { Environment } from "../../../operator/api/environment.ts";
import type { ComponentStatus } from "../../../operator/api/environment-status.ts";
import type { Run, RunSpec } from "../../../operator/api/run.ts";
import type { RunStatus } from "../../../operator/api/run-status.ts";
import { aComponent, anEnvironment, aRun, T0 } from "../../fakes/objects.ts";

/** A shop of five components, for the plugin's tests: network ◄ catalog, database ◄ app ◄ monitor. */

export const at = (minutes: number): string => new Date(T0 + minutes * 60_000).toISOString();

export const ready = (name: string, more: Partial<ComponentStatus> = {}): ComponentStatus => ({
  name,
  state: "Ready",
  reason: "Applied",
  appliedAt: at(0),
  ...more,
});

export interface Lines {
  readonly network?: Partial<ComponentStatus>;
  readonly catalog?: Partial<ComponentStatus>;
  readonly database?: Partial<ComponentStatus>;
  readonly app?: Partial<ComponentStatus>;
  readonly monitor?: Partial<ComponentStatus>;
}

export function shop(lines: Lines = {}, more: Partial<Environment["spec"]> = {}): Environment {
  const names = ["network", "catalog", "database", "app", "monitor"] as const;
  const components = names.map((name) => ready(name, lines[name]));
  const whole = components.every(({ state }) => state === "Ready");
  const first = components.find(({ state }) => state !== "Ready");
  return anEnvironment(
    [
      aComponent("network"),
      aComponent("catalog", { needs: ["network"] }),
      aComponent("database", { needs: ["network"] }),
      aComponent("app", { needs: ["catalog", "database"] }),
      aComponent("monitor", { needs: ["app"] }),
    ],
    {
      metadata: { creationTimestamp: at(0) },
      spec: more,
      status: {
        observedGeneration: 1,
        summary: `${components.filter(({ state }) => state === "Ready").length}/5 ready`,
        components,
        conditions: [
          {
            type: "Ready",
            status: whole ? "True" : "False",
            reason: whole ? "Applied" : (first?.reason ?? "Progressing"),
            message: whole ? "everything that is declared is applied" : `${first?.name}: ${first?.message}`,
            observedGeneration: 1,
            lastTransitionTime: at(5),
          },
        ],
      },
    },
  );
}

export function aShopRun(component: string, number: number, status: RunStatus, more: Partial<RunSpec> = {}): Run {
  const spec: RunSpec = {
    environment: { name: "shop", uid: "env-uid", generation: 1 },
    component,
    number,
    operation: "Apply",
    desiredDigest: "sha256:d",
    inputsDigest: "sha256:i",
    engine: { name: "opentofu", version: "1.12", image: "runner@sha256:0a" },
    cause: { type: "SourceChanged" },
    attempt: 0,
    inputs: {
      source: { inline: { "main.tf": "" } },
      path: ".",
      variables: [],
      credentials: [],
      runner: { serviceAccountName: "default" },
      timeouts: { plan: "15m", apply: "60m" },
      dependsOn: [],
    },
    ...more,
  };
  return aRun(spec, status, { name: `shop-${component}-${number}`, creationTimestamp: at(number) });
}

export const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;

/** A Run whose plan waits for two people. */
export const held = (
  component: string,
  number: number,
  letter: string,
  fields: Partial<NonNullable<Run["status"]>> = {},
): Run =>
  aShopRun(
    component,
    number,
    {
      observedGeneration: 1,
      phase: "AwaitingApproval",
      heldAt: at(8),
      expiresAt: at(24 * 60),
      plan: {
        digest: digestOf(letter),
        counts: { create: 1, update: 0, replace: 1, delete: 1 },
        resources: [
          { address: "aws_subnet.new", action: "create" },
          { address: "aws_db_instance.main", action: "replace" },
          { address: "aws_s3_bucket.old", action: "delete" },
        ],
        verdict: "Hold",
      },
      ...fields,
    },
    { rules: { approval: { required: 2, expiresAfter: "24h" } } },
  );
