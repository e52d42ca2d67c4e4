/** People who may approve in a journey's namespace, and what they say. */
import type { Run } from "../../../operator/api/run.ts";
import type { Patience, Place } from "./place.ts";

/** Gives these people the approver's role in the namespace. */
export async function approvers(place: Place, ...people: readonly string[]): Promise<void> {
  await place.apply({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "approvers" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "terrarium-approver" },
    subjects: people.map((name) => ({ kind: "User", apiGroup: "rbac.authorization.k8s.io", name })),
  });
}

/** One person's word about the plan that the Run shows, given as that person. */
export async function says(
  place: Place,
  approver: string,
  decision: "Approve" | "Reject",
  { metadata, spec, status }: Run,
  reason = "looked at it",
): Promise<void> {
  const approval = {
    apiVersion: "terrarium.dev/v1alpha1",
    kind: "Approval",
    metadata: { name: `${metadata.name}-${approver}` },
    spec: {
      environment: spec.environment.name,
      run: { name: metadata.name, uid: metadata.uid },
      planDigest: status?.plan?.digest,
      decision,
      approver,
      reason,
    },
  };
  await place.kubectl(["create", "--as", approver, "-f", "-"], JSON.stringify(approval));
}

/** The Run of a component with that number, once its plan waits. */
export function untilHeld(place: Place, component: string, number = 1, limits: Patience = {}): Promise<Run> {
  const waits = (run: Run) => run.spec.number === number && run.status?.phase === "AwaitingApproval";
  return place.untilRun(component, waits, { about: `the plan of Run ${number} to wait`, ...limits });
}
