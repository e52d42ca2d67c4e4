import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Approval, ApprovalSpec } from "../operator/api/approval.ts";
import { API_VERSION, LABELS } from "../operator/api/names.ts";
import { isAlreadyExists } from "../operator/cluster/errors.ts";
import type { KubeObject, Stored } from "../operator/cluster/ports.ts";
import { APPROVALS, RUNS } from "../operator/cluster/resources.ts";
import type { Cluster } from "./cluster.ts";
import type { GivenWord, PlanPicture } from "./reading/plans.ts";

/** What one person says about plans. */
export interface Word {
  readonly decision: ApprovalSpec["decision"];
  readonly approver: string;
  readonly reason: string | undefined;
}

export interface Signed {
  /** It was said before, and nothing was written. */
  readonly before: boolean;
  /** Why what was said before does not count, where it was said anew for that. */
  readonly ignored?: string;
}

/** The name of a word is taken by something that is another. */
class NameTaken extends Error {
  override readonly name = "NameTaken";

  constructor({ metadata: { name, namespace } }: KubeObject) {
    const look = `kubectl get approval ${name} -n ${namespace} -o yaml`;
    super(`The Approval ${name} says something else already (${look}): write yours by hand, under another name`);
  }
}

/** Makes the Approval, unless the same was said before and counts, or may yet count. Throws what the API server refuses. */
export async function sign({ client, namespace }: Cluster, plan: PlanPicture, word: Word): Promise<Signed> {
  if (plan.words.some((one) => isSaidBy(word, one) && one.ignored === undefined)) return { before: true };
  let signed: Signed = { before: false };
  for (let number = 1; ; number += 1) {
    const approval = approvalOf(namespace, plan, word, number);
    try {
      await client.create<NewApproval>(APPROVALS, approval);
      return signed;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const found = await client.find<Approval>(APPROVALS, namespace, approval.metadata.name);
    if (found === undefined) continue;
    if (!isSameWord(found.spec, approval.spec)) throw new NameTaken(approval);
    const ignored = whyIgnored(plan, found);
    if (ignored === undefined) return { before: true };
    signed = { before: false, ignored };
  }
}

type NewApproval = KubeObject & Pick<Approval, "spec">;

function approvalOf(namespace: string, plan: PlanPicture, word: Word, number: number): NewApproval {
  const { decision, approver, reason } = word;
  const about = createHash("sha256").update(`${approver} ${plan.runUid} ${plan.digest}`).digest("hex").slice(0, 8);
  const again = number === 1 ? "" : `-${number}`;
  return {
    metadata: {
      name: `${plan.run}-${decision.toLowerCase()}-${about}${again}`,
      namespace,
      labels: { [LABELS.environment]: plan.environment, [LABELS.component]: plan.component },
      // The record of a word is the Run's status: nobody needs the object when the Run is gone.
      ownerReferences: [{ apiVersion: API_VERSION, kind: RUNS.kind, name: plan.run, uid: plan.runUid }],
    },
    spec: {
      environment: plan.environment,
      run: { name: plan.run, uid: plan.runUid },
      planDigest: plan.digest,
      decision,
      approver,
      ...(reason === undefined ? {} : { reason }),
    },
  };
}

/** Whatever the reason is. */
function isSameWord({ reason: _, ...one }: ApprovalSpec, { reason: __, ...other }: ApprovalSpec): boolean {
  return isDeepStrictEqual(one, other);
}

const isSaidBy = (word: Pick<Word, "approver" | "decision">, said: GivenWord) =>
  said.approver === word.approver && said.decision === word.decision;

/** The Run lists words by person and time, not by name. */
function whyIgnored({ words }: PlanPicture, { spec, metadata }: Stored<Approval>): string | undefined {
  const atMs = Date.parse(metadata.creationTimestamp);
  return words.find((said) => isSaidBy(spec, said) && Date.parse(said.at) === atMs)?.ignored;
}
