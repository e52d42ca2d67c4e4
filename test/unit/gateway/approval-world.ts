/** Plans that wait for people: the pod that makes one, what people say, and the pod that applies it. */
import type { ApprovalSpec } from "../../../operator/api/approval.ts";
import type { Run } from "../../../operator/api/run.ts";
import { judgePlan } from "../../../operator/approval/judge.ts";
import { APPROVALS } from "../../../operator/cluster/resources.ts";
import type { Judge } from "../../../operator/gateway/verdict.ts";
import { gatewayWorld, NAMESPACE } from "./gateway-world.ts";

const byRules: Judge = (plan, run) => judgePlan(plan, run.spec.rules, run.spec.operation);

export const DIGEST = `sha256:${"a".repeat(64)}`;
export const rules = { approval: { required: 1, expiresAfter: "1h" } };
export const aPlan = (more: object = {}) => ({
  digest: DIGEST,
  counts: { create: 1, update: 0, replace: 0, delete: 0 },
  empty: false,
  resources: [],
  truncated: false,
  drifted: 0,
  inputsDigest: "hmac of the inputs",
  ...more,
});

/** A gateway that judges plans by the rules of their Runs, unless it is told otherwise. */
export async function approvalWorld(facts: Parameters<typeof gatewayWorld>[0] = {}) {
  const world = await gatewayWorld({ judge: byRules, ...facts });

  async function aWorker(run: Run, phase: "Plan" | "Apply") {
    const pod = world.aPod(run, { phase, suffix: phase === "Plan" ? "p" : "a" });
    const claimed = await world.claim(pod, run, world.replica, phase);
    const session = String(claimed.json.session);
    const ask = (method: string, path: string, body?: Buffer | object) =>
      world.call(world.gateway, method, path, session, body);
    return { claimed, order: claimed.json, ask };
  }

  /** The first pod of the Run has handed its plan over. */
  async function held(run: Run, plan: object = {}) {
    const first = await aWorker(run, "Plan");
    await first.ask("PUT", "/v1/archive", Buffer.from("the archive"));
    const verdict = await first.ask("POST", "/v1/plan", aPlan(plan));
    const bundled = await first.ask("PUT", "/v1/plan/bundle", Buffer.from("the bundle"));
    return { first, verdict, bundled };
  }

  function say(run: Run, more: Partial<ApprovalSpec> = {}, at = new Date(), namespace = NAMESPACE) {
    const { name, uid } = run.metadata;
    const spec = {
      environment: "shop",
      run: { name, uid },
      planDigest: DIGEST,
      decision: "Approve",
      approver: "ada",
      ...more,
    };
    const metadata = {
      name: `word-${more.approver ?? "ada"}`,
      namespace,
      creationTimestamp: at.toISOString(),
    };
    world.client.seed(APPROVALS, { metadata, spec } as never);
  }

  return { ...world, aWorker, held, say };
}

export type ApprovalWorld = Awaited<ReturnType<typeof approvalWorld>>;
