import { ANNOTATIONS, GATEWAY_AUDIENCE, LABELS } from "../api/names.ts";
import type { Run } from "../api/run.ts";
import type { Pod } from "../cluster/kinds.ts";
import type { Reader, Reviewer, TokenReviewed } from "../cluster/ports.ts";
import { PODS, RUNS } from "../cluster/resources.ts";
import type { KeyRing } from "../storage/key-ring.ts";
import { Refused } from "../storage/refusal.ts";
import type { Known } from "./known.ts";
import { verifyOrder } from "./order.ts";
import type { ClaimRequest } from "./protocol.ts";
import { saysAudience } from "./said-audience.ts";
import type { Session } from "./sessions.ts";
import { Unauthenticated } from "./unauthenticated.ts";

export interface AuthenticationPorts {
  readonly client: Pick<Reader, "find" | "listAll"> & Pick<Reviewer, "reviewToken">;
  readonly ring: KeyRing;
  readonly known: Known;
}

const POD_NAME = "authentication.kubernetes.io/pod-name";
const POD_UID = "authentication.kubernetes.io/pod-uid";

const ENDED: readonly string[] = ["Succeeded", "Failed", "Interrupted", "Cancelled"];

/**
 * Who presents this token, and may it work on that Run? Anybody with `edit` can make pods and tokens of the right audience in their
 * namespace; only the operator can have put the order on the pod.
 */
export async function authenticate(
  ports: AuthenticationPorts,
  token: string,
  request: ClaimRequest,
  signal: AbortSignal,
): Promise<{ readonly session: Session; readonly run: Run }> {
  const { client, ring } = ports;
  if (!saysAudience(token, GATEWAY_AUDIENCE)) throw noTokenOfAPod();
  const bound = podOf(await client.reviewToken(token, [GATEWAY_AUDIENCE], { signal }));
  if (bound.namespace !== request.namespace) throw notYours(`its token is of namespace ${bound.namespace}`);
  const { pod, run } = knownCheck(ports, bound, request) ?? (await lookedUp(ports, bound, request, signal));
  if (pod?.metadata.uid !== bound.uid) throw notYours(`pod ${bound.name} is gone`);
  if (run === undefined) throw notYours(`there is no Run ${request.run}`);
  if (pod.metadata.labels?.[LABELS.run] !== request.run) throw notYours(`pod ${bound.name} is of another Run`);
  const order = { runUid: run.metadata.uid, podName: bound.name, phase: request.phase };
  if (!verifyOrder(ring, order, pod.metadata.annotations?.[ANNOTATIONS.order]))
    throw notYours(`pod ${bound.name} carries no order of the operator for this Run and phase`);
  if (run.status?.finishedAt !== undefined || ENDED.includes(run.status?.phase ?? ""))
    throw new Refused("Fenced", `Run ${request.run} has ended`);
  return { run, session: sessionOf(run, request, bound) };
}

interface Bound {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Of a Check, what the watches told is enough: the token has just been reviewed, and the order ties pod and Run to each other. */
function knownCheck({ ring, known }: AuthenticationPorts, bound: Bound, { run: name, phase }: ClaimRequest) {
  const [pod, run] = [known.pod(bound.namespace, bound.name), known.run(bound.namespace, name)];
  if (pod?.metadata.uid !== bound.uid || run?.spec.operation !== "Check") return undefined;
  const order = { runUid: run.metadata.uid, podName: bound.name, phase };
  return verifyOrder(ring, order, pod.metadata.annotations?.[ANNOTATIONS.order]) ? { pod, run } : undefined;
}

async function lookedUp(
  { client }: AuthenticationPorts,
  bound: Bound,
  { run: name }: ClaimRequest,
  signal: AbortSignal,
) {
  const [pod, run] = await Promise.all([
    client.find<Pod>(PODS, bound.namespace, bound.name, { signal }),
    client.find<Run>(RUNS, bound.namespace, name, { signal }),
  ]);
  return { pod, run };
}

function sessionOf(run: Run, { phase }: ClaimRequest, pod: { readonly name: string; readonly uid: string }): Session {
  const { metadata, spec } = run;
  return {
    key: { namespace: metadata.namespace, environment: spec.environment.name, component: spec.component },
    environmentUid: spec.environment.uid,
    run: metadata.name,
    runUid: metadata.uid,
    number: spec.number,
    operation: spec.operation,
    phase,
    pod: pod.name,
    podUid: pod.uid,
  };
}

function podOf({ authenticated, audiences, username, extra }: TokenReviewed) {
  const [system, kind, namespace] = username.split(":");
  const [name, uid] = [extra[POD_NAME]?.[0], extra[POD_UID]?.[0]];
  const good =
    authenticated && audiences.includes(GATEWAY_AUDIENCE) && system === "system" && kind === "serviceaccount";
  if (!good || namespace === undefined || name === undefined || uid === undefined) throw noTokenOfAPod();
  return { namespace, name, uid };
}

const noTokenOfAPod = () => new Unauthenticated("the token is not a valid token of a pod for this gateway");

const notYours = (why: string) => new Refused("NotYourRun", `this pod may not work on that Run: ${why}`);
