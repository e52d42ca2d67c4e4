import { z } from "zod";
import { credential } from "../api/component.ts";
import type { Reason } from "../api/conditions.ts";
import { ignoredDrift } from "../api/drift.ts";
import { operation } from "../api/run.ts";
import { outputRecord, planCounts, runOutcome } from "../api/run-status.ts";
import { source } from "../api/source.ts";

/**
 * What agent and gateway say to each other, over HTTPS. Every request but the claim carries the session in the header
 * `Authorization: Bearer <session>`; the claim carries the pod's projected token there. Bodies are JSON where nothing else
 * is said; sizes are in bytes. Errors are `{error: {code, message}}` with the codes below.
 *
 * | request                    | body → answer                                          |
 * | -------------------------- | ------------------------------------------------------ |
 * | POST /v1/claim             | ClaimRequest → WorkOrder                               |
 * | GET  /v1/state             | → the state (JSON), or 204 where there is none yet     |
 * | POST /v1/state?ID=<lock>   | the state → 204; from the verdict Apply on             |
 * | PUT  /v1/state/lock        | LockInfo → 200; 423 with the holder's LockInfo         |
 * | DELETE /v1/state/lock?ID=  | → 204                                                  |
 * | GET  /v1/archive           | → the archive (tar.gz) that a destroy works from       |
 * | PUT  /v1/archive           | the archive (tar.gz) of this attempt → 204; before the plan, also where the plan is empty |
 * | POST /v1/plan              | PlanReport → Verdict; where the plan of an Apply is empty nothing is recorded as begun: end with Unchanged |
 * | PUT  /v1/plan/bundle       | the plan that is held (tar.gz) → 204: from then on the Run waits, and this session is fenced |
 * | GET  /v1/plan/bundle       | → the plan that was held, for the pod that applies it  |
 * | PUT  /v1/plan/text         | the plan as people read it (UTF-8, at most 256 KiB) → 204; for plans that are held or refused |
 * | POST /v1/journal           | JournalBatch → 204                                     |
 * | POST /v1/progress          | ProgressReport → 204: it is written; 202: not, since something was written a moment ago: tell the newest again |
 * | PUT  /v1/recovery          | errored.tfstate → 204; from the verdict Apply on       |
 * | POST /v1/result            | ResultReport → 204; repeating it is harmless           |
 *
 * A Check holds no claim: it may read state and archive and report a result with its plan, and everything else is refused.
 */

export const GATEWAY_ERRORS = {
  Unauthenticated: { status: 401, meaning: "The token or session is not valid." },
  NotYourRun: { status: 403, meaning: "The pod was not made by the operator for this Run." },
  AlreadyClaimed: { status: 409, meaning: "Another pod has claimed this Run; this one must end." },
  Fenced: { status: 409, meaning: "This session may no longer write: its Run has ended." },
  NotApplying: { status: 409, meaning: "The pod was not told to apply, so it has no state to store." },
  Locked: { status: 423, meaning: "Another Run holds the lock." },
  LockMismatch: { status: 409, meaning: "The lock id is not the one that is held." },
  SerialWentBack: { status: 409, meaning: "The state is older than the one that is stored." },
  LineageDiffers: { status: 409, meaning: "The state belongs to another lineage." },
  NotAState: { status: 400, meaning: "The body is not a state of version 4." },
  StateOwnedByOther: { status: 409, meaning: "Another Environment owns the state, or it was released." },
  StateUnsaved: { status: 409, meaning: "A recovery copy of the state waits for a person; nothing is planned before." },
  OutputMissing: {
    status: 409,
    meaning:
      "A referenced component has no such output. The gateway has recorded that as the Run's result; the pod must end.",
  },
  OutputsUnsettled: {
    status: 409,
    meaning:
      "A referenced component is being changed, or its last apply failed. The gateway has recorded that the Run waits; the pod must end.",
  },
  StoreCorrupt: { status: 409, meaning: "What is stored cannot be read: it was altered, or a part of it is gone." },
  TooLarge: { status: 413, meaning: "The body is larger than the gateway takes." },
  InternalError: { status: 500, meaning: "The gateway failed; the same request may be repeated." },
  NotFound: { status: 404, meaning: "There is no such thing." },
  BadRequest: { status: 400, meaning: "The body is not what was expected." },
  StoreUnavailable: { status: 503, meaning: "The store does not answer; the same request may be repeated." },
} as const;

export type GatewayErrorCode = keyof typeof GATEWAY_ERRORS;

export const claimRequest = z.object({
  run: z.string(),
  namespace: z.string(),
  phase: z.enum(["Plan", "Apply"]),
});

/** A variable whose value the agent reads from what the kubelet mounted, or takes as it is. */
export const orderedVariable = z.union([
  z.object({ name: z.string(), kind: z.literal("value"), value: z.json(), sensitive: z.boolean() }),
  z.object({ name: z.string(), kind: z.literal("secret"), secret: z.string(), key: z.string() }),
  z.object({ name: z.string(), kind: z.literal("configMap"), configMap: z.string(), key: z.string() }),
]);

/** The most that a report lists; agents cut it further, to what the body of a request may have. */
export const MOST_CHANGES = 20_000;

export const plannedChange = z.object({
  address: z.string(),
  /** What it is called until this plan is applied, where that is something else. */
  previousAddress: z.string().optional(),
  type: z.string(),
  action: z.enum(["create", "update", "replace", "delete", "forget", "move", "import"]),
  /** Paths of changed attributes, as in `tags.Owner`. */
  attributes: z.array(z.string()).max(64),
});

export const planReport = z.object({
  /** sha256 of the plan file, taken before anything else read it. */
  digest: z.string(),
  counts: planCounts,
  /** False also where only outputs change: those are applied as well. */
  empty: z.boolean(),
  resources: z.array(z.object({ address: z.string(), action: z.string() })).max(50),
  truncated: z.boolean(),
  drifted: z.int().min(0),
  /** Every change, those that destroy first; absent from an agent that does not list them. */
  changes: z.array(plannedChange).max(MOST_CHANGES).optional(),
  /** Changes are missing from the list, or attributes of one are, or a name is cut. */
  changesTruncated: z.boolean().optional(),
  /** The plan does nothing but bring back what somebody else changed in the world. */
  driftOnly: z.boolean().optional(),
  revision: z.string().optional(),
  /** Keyed digest of all resolved inputs. */
  inputsDigest: z.string(),
});

/** Git credentials that a fetch used, so that the resolver can follow a private branch. */
const usedLogin = z.object({ username: z.string(), password: z.string() });

/** A plan asks what becomes of it. Where it has to wait, nothing else tells which login its source was fetched with. */
export const planRequest = planReport.extend({ sourceCredentials: usedLogin.optional() });

/** What the plan report of a plan that waits said: the pod that applies it later says the same again. */
export const heldPlan = planReport.omit({ changes: true, changesTruncated: true });

export const workOrder = z.object({
  session: z.string(),
  run: z.object({ namespace: z.string(), name: z.string(), uid: z.string(), number: z.int() }),
  environment: z.object({ name: z.string(), uid: z.string() }),
  component: z.string(),
  operation,
  phase: z.enum(["Plan", "Apply"]),
  /** Where the module comes from; `archive`: fetch it with GET /v1/archive. */
  source: z.union([z.object({ archive: z.object({ digest: z.string(), size: z.int() }) }), source]),
  path: z.string(),
  /** The ConfigMap that the module is declared to come from, also where it is fetched from an archive: it may hold another one by now. */
  sourceConfigMap: z.string().optional(),
  /** Commit to fetch; absent: the agent looks the ref up. */
  revision: z.string().optional(),
  /** Absent for an archive: the resolved values are inside it. */
  variables: z.array(orderedVariable),
  /** Names of variables that the module must declare. Absent: those that it does not declare are left out. */
  ownVariables: z.array(z.string()).optional(),
  credentials: z.array(credential),
  timeouts: z.object({ planMs: z.int(), applyMs: z.int() }),
  /** True: a backend or cloud block of the module is overridden. */
  overrideBackend: z.boolean(),
  /** True: the store holds a state for this component. */
  stateExists: z.boolean(),
  /** Set where this pod was told to apply before (its agent was restarted): a different plan will be refused. */
  applying: z.object({ planDigest: z.string(), at: z.string() }).optional(),
  /** The plan that this pod is to apply, exactly; fetch it with GET /v1/plan/bundle. Only in the phase Apply. */
  held: heldPlan.optional(),
  /** A key for keyed digests of outputs and inputs, base64; it is of no use outside this component. */
  digestKey: z.string(),
  /** For a Check: differences that do not count. */
  ignore: z.array(ignoredDrift).optional(),
});

/** What the engine's lock request carries, in its own spelling. */
export const lockInfo = z.looseObject({
  ID: z.string(),
  Operation: z.string().default(""),
  Info: z.string().default(""),
  Who: z.string().default(""),
  Version: z.string().default(""),
  Created: z.string().default(""),
  Path: z.string().default(""),
});

export const verdict = z.object({
  verdict: z.enum(["Apply", "Hold", "Refuse"]),
  reason: z.string(),
  message: z.string(),
});

export const journalEntry = z.object({
  at: z.iso.datetime(),
  event: z.enum(["apply_start", "apply_complete", "apply_errored"]),
  address: z.string(),
  action: z.string(),
  idKey: z.string().optional(),
  idValue: z.string().optional(),
});

export const journalBatch = z.object({
  /** Position of the first entry among those that the agent knows: what the store has from there on is recognised, and not added again. */
  from: z.int().min(0),
  entries: z.array(journalEntry).max(1000),
});

/** So long an agent waits for an answer before it tells something newer. */
export const AGENT_WAITS_MS = 15_000;

export const progressReport = z.object({
  step: z.string().max(64),
  done: z.int().optional(),
  total: z.int().optional(),
  current: z.string().max(256).optional(),
});

/** Outputs that a report names. Where there are more, nobody has looked at the rest: it counts as sensitive. */
export const MOST_OUTPUTS = 256;

export const resultReport = z.object({
  /** Without a journal: the gateway has it. */
  outcome: runOutcome.omit({ journal: true }),
  /** Of a Check, which asks for no verdict: the differences that count. */
  plan: planReport.optional(),
  /**
   * Of a Check that has found something: a digest over address, action and names of attributes of every difference, without
   * what is secret. Absent from an agent that does not tell it.
   */
  driftDigest: z.string().max(80).optional(),
  /**
   * Outputs of the applied state, with values of those that are not sensitive left out too: they are in the state. Sensitive
   * are those that the module marks as such, and those in whose value the agent, which knows the secrets, has found one.
   */
  outputs: z.array(outputRecord).max(MOST_OUTPUTS).default([]),
  sourceCredentials: usedLogin.optional(),
});

export const gatewayError = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export type ClaimRequest = z.output<typeof claimRequest>;
export type WorkOrder = z.output<typeof workOrder>;
export type OrderedVariable = z.output<typeof orderedVariable>;
export type LockInfo = z.output<typeof lockInfo>;
export type PlannedChange = z.output<typeof plannedChange>;
export type HeldPlan = z.output<typeof heldPlan>;
export type PlanReport = z.output<typeof planReport>;
export type PlanRequest = z.output<typeof planRequest>;
export type Verdict = z.output<typeof verdict>;

/** Reasons of a refusal that are nobody's failure: the Run is called off, and what is wanted then is decided anew, or by a person. */
export const CALLED_OFF: readonly string[] = [
  "Cancelled",
  "Destroying",
  "Expired",
  "Superseded",
  "WindowClosed",
  "ScheduleInvalid",
] satisfies readonly Reason[];
export type JournalEntry = z.output<typeof journalEntry>;
export type JournalBatch = z.output<typeof journalBatch>;
export type ProgressReport = z.output<typeof progressReport>;
export type ResultReport = z.output<typeof resultReport>;
