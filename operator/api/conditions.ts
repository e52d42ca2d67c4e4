import { z } from "zod";

/** Condition types and reasons are data: condition, event, log line and reference take their words from here. */

/** A status with a longer message could not be written at all. */
export const LONGEST_MESSAGE = 1024;

export const condition = z
  .object({
    type: z.string().max(64).describe("Type of the condition."),
    status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
    reason: z.string().max(64).describe("Why, in one word."),
    message: z.string().max(LONGEST_MESSAGE).describe("Why, in a sentence."),
    observedGeneration: z.int().optional().describe("Generation of the spec that the condition speaks of."),
    lastTransitionTime: z.iso.datetime().describe("When the status changed last."),
  })
  .describe("One aspect of the state, by the conventions of Kubernetes.");

export type Condition = z.output<typeof condition>;

/** Before it is known when its status changed last, and for which generation it is said. */
export type FreshCondition = Omit<Condition, "lastTransitionTime" | "observedGeneration">;

export const CONDITION_TYPES = {
  Ready: "Everything that the spec declares is applied.",
  Reconciling: "The operator works towards the spec, or waits for something that time will bring.",
  Stalled: "Nothing goes on until a person acts; the message says what to do.",
  Expiring: "The end of the Environment's lifetime is near; the message says when it is, and how to put it off.",
  AwaitingApproval: "A plan waits until people approve it; the message says how.",
  Drifted:
    "Something differs from what was applied, and nobody asked for that. It does not make the Environment less ready.",
  Succeeded: "The Run reached what it was made for.",
} as const;

/** Whose turn it is: nobody's, time's, or a person's. */
export type Standing = "done" | "progress" | "person";

interface ReasonFacts {
  readonly standing: Standing;
  /** What the reason means and what to do, for the reference. */
  readonly meaning: string;
}

/** Every reason that an Environment, a component or a Run can carry. */
export const REASONS = {
  // What goes well.
  Applied: { standing: "done", meaning: "All components are applied." },
  Unchanged: { standing: "done", meaning: "The plan was empty: nothing had to be applied." },
  Destroyed: { standing: "done", meaning: "Everything that the component made was destroyed." },
  Released: {
    standing: "done",
    meaning: "The real objects were kept and their state was released (deletionPolicy: Retain).",
  },
  Expired: {
    standing: "done",
    meaning:
      "The lifetime is over, and everything was destroyed. A later end in spec.lifetime, or terrarium.dev/extend-until, brings it back.",
  },
  Asleep: {
    standing: "done",
    meaning:
      "It is asleep, by lifetime.sleep: destroyed, or applied with the variables of its sleep. It wakes by itself.",
  },
  Lasting: { standing: "done", meaning: "The end of the lifetime is not near." },
  NoDrift: { standing: "done", meaning: "What was applied is what is there, as far as the last plan saw." },
  DriftFound: {
    standing: "done",
    meaning:
      "Something was changed outside: the message names the first objects, and the Run the rest. Nothing waits for it.",
  },
  CorrectionFailed: {
    standing: "progress",
    meaning: "What drifted could not be brought back; the message quotes why. It is tried again as any Run is.",
  },
  // What time brings.
  CheckFailed: {
    standing: "progress",
    meaning:
      "Whether something drifted is not known, since the plan that looks for it fails; the message quotes why. It is tried again after twice the interval, then four times, down to once a day.",
  },
  NotChecked: { standing: "done", meaning: "Nobody looks for drift any more: no interval is declared." },
  EverythingIgnored: {
    standing: "done",
    meaning:
      "The rules of drift.ignore match everything, or every change of attributes: narrow their addresses or attributes.",
  },
  Progressing: { standing: "progress", meaning: "Runs are under way." },
  Pending: { standing: "progress", meaning: "The component will be worked on next." },
  Blocked: { standing: "progress", meaning: "The component waits for others that it depends on." },
  Destroying: {
    standing: "progress",
    meaning: "Components are being destroyed, in reverse order of their dependencies.",
  },
  Expiring: { standing: "progress", meaning: "The lifetime ends soon, and everything will be destroyed." },
  WindowClosed: {
    standing: "progress",
    meaning: "Something has to be changed, and no window of spec.windows is open; the message says when one opens.",
  },
  AwaitingApproval: {
    standing: "progress",
    meaning: "A plan waits for approval; the message has the command that gives it.",
  },
  Superseded: {
    standing: "progress",
    meaning: "What the plan was made for has changed while it waited, so it is void; the message says what changed.",
  },
  PlanExpired: {
    standing: "progress",
    meaning: "Nobody decided about the plan in time (approval.planExpiresAfter). A fresh one is made.",
  },
  Recovering: {
    standing: "progress",
    meaning:
      "An apply was cut off. What is left to do is planned, and the plan waits for a person, whatever the rules for approval are.",
  },
  SourceResolving: { standing: "progress", meaning: "The git ref is being looked up." },
  InputMissing: {
    standing: "progress",
    meaning: "A Secret, ConfigMap or key that the component needs does not exist. It is looked for again by itself.",
  },
  PodUnschedulable: {
    standing: "progress",
    meaning: "The runner pod cannot start yet; the message quotes Kubernetes.",
  },
  Suspended: { standing: "done", meaning: "spec.suspend is true: no new Run is started." },
  StepRefused: {
    standing: "progress",
    meaning: "The operator could not do what comes next; the message quotes why. It tries again by itself.",
  },
  OutputsNotWritten: {
    standing: "progress",
    meaning:
      "An object that writeOutputsTo names could not be written; the message quotes why. It is tried again by itself.",
  },
  // The spec: yours.
  ConfigurationInvalid: {
    standing: "progress",
    meaning: "The engine refuses the module; file and line are in the message.",
  },
  VariableMissing: { standing: "progress", meaning: "The module needs a variable that nobody gives." },
  VariableUnknown: {
    standing: "progress",
    meaning: "The component gives a variable that its module does not declare; the message lists what it declares.",
  },
  VariableInvalid: { standing: "progress", meaning: "A variable's value does not have the declared type." },
  DependencyCycle: {
    standing: "person",
    meaning: "Components depend on each other in a circle; the message names them.",
  },
  OutputMissing: { standing: "person", meaning: "A referenced component does not have the output that is asked for." },
  EngineUnknown: {
    standing: "person",
    meaning: "The operator's catalogue has no such engine version; the message lists what it has.",
  },
  ScheduleInvalid: {
    standing: "person",
    meaning:
      "A schedule of the spec cannot be used: the message has its path. Nothing is applied or destroyed until it is corrected.",
  },
  BackendChoiceNeeded: {
    standing: "person",
    meaning:
      "The module has its own backend or cloud block; write state.backend: Managed to store the state with Terrarium, after moving an existing state in.",
  },
  PathMissing: { standing: "progress", meaning: "The source has no such folder, or it holds no module." },
  SourceInvalid: { standing: "progress", meaning: "The source cannot be used; the message says why." },
  // The world: theirs.
  GitHostUnknown: { standing: "progress", meaning: "The git server's name cannot be resolved, or it does not answer." },
  GitRefNotFound: { standing: "progress", meaning: "The repository has no such branch, tag or commit." },
  GitUnauthorized: { standing: "progress", meaning: "The git server refuses the credentials, or asks for some." },
  GitRepositoryNotFound: {
    standing: "progress",
    meaning: "The git server has no such repository, or hides it from these credentials.",
  },
  GitFailed: { standing: "progress", meaning: "git failed for another reason, which the message quotes." },
  ProviderNotFound: {
    standing: "progress",
    meaning: "A provider, or a version of it, is not in the registry or mirror.",
  },
  ModuleNotFound: { standing: "progress", meaning: "A module that the configuration calls cannot be found." },
  RegistryUnreachable: { standing: "progress", meaning: "The registry of providers or modules does not answer." },
  PlanFailed: { standing: "progress", meaning: "The plan failed; the message gives the first error." },
  ApplyFailed: {
    standing: "progress",
    meaning: "The apply failed half way. What was made is in the state; the next try goes on from there.",
  },
  DestroyFailed: {
    standing: "progress",
    meaning: "The destroy failed. What is left is in the state; the next try goes on from there.",
  },
  TimedOut: {
    standing: "progress",
    meaning: "The phase took longer than its timeout, and the engine was asked to stop.",
  },
  OutOfMemory: {
    standing: "progress",
    meaning: "The engine was killed for want of memory: raise runner.resources.limits.memory.",
  },
  DiskFull: {
    standing: "progress",
    meaning:
      "The disk on which the pod works is full, and nothing was applied: free space on its node, or choose nodes with more in runner.nodeSelector.",
  },
  RunnerLost: {
    standing: "progress",
    meaning:
      "The pod ended before anything was applied, or its node is lost, or it waited for the gateway or the store until its time was over. It is tried again.",
  },
  PodRejected: { standing: "progress", meaning: "Kubernetes refused the runner pod; the message quotes it." },
  ForeignPod: {
    standing: "person",
    meaning: "A pod that the operator did not make has the name of the runner pod: delete it.",
  },
  RightMissing: {
    standing: "person",
    meaning:
      "The operator's own role lacks a right; the message quotes Kubernetes. Install the chart's roles again: the Run then goes on by itself.",
  },
  StateLocked: { standing: "progress", meaning: "Another Run holds the lock of the state." },
  // What a rule forbids, and rules that are none.
  Protected: {
    standing: "person",
    meaning:
      "The plan deletes or replaces what `protect` keeps; the message names the first. Change the source, or take the pattern out of `protect`.",
  },
  TooManyDeletes: {
    standing: "person",
    meaning: "The plan deletes and replaces more resources than `maxDeletes`. Change the source, or raise it.",
  },
  ApprovalExpressionInvalid: {
    standing: "person",
    meaning: "An `unless` does not compile; the message has its field, line and column.",
  },
  // What needs a person.
  Rejected: {
    standing: "person",
    meaning:
      "Somebody rejected the plan; the message says who and why. Nothing is planned again until the spec or the source changes, or terrarium.dev/requestedAt asks for it.",
  },
  LockOrphaned: {
    standing: "person",
    meaning:
      "A Run that has ended, or is gone, still holds the lock of the state, or a claim on it: release it when its pod is dead.",
  },
  LockForeign: {
    standing: "person",
    meaning:
      "A Run of another Environment holds the lock of the state, or a claim on it: release it when nothing of that Run works any more.",
  },
  Cancelled: {
    standing: "person",
    meaning:
      "A person cancelled the Run. Nothing is repeated by itself: change something, or set terrarium.dev/requestedAt.",
  },
  RetriesExhausted: {
    standing: "person",
    meaning: "The limit of tries is reached. Change the spec or the source, or set terrarium.dev/requestedAt.",
  },
  Interrupted: {
    standing: "person",
    meaning:
      "The pod died, or the engine broke off, while it applied. Nothing is repeated by itself: look at the Run's journal, and then at the fresh plan, which waits for a person.",
  },
  ProofOfDeathMissing: {
    standing: "person",
    meaning:
      "The pod cannot be proven dead, so its lock stays. Where its node is off for good, delete the Node or taint it node.kubernetes.io/out-of-service: that is proof. Otherwise make sure that the pod is gone, then annotate the Run with terrarium.dev/confirm-dead=<UID of the pod>, as its message says.",
  },
  LeftBehind: {
    standing: "person",
    meaning:
      "All that the state knew is destroyed, but an interrupted apply had begun things that no state has. Import or remove them, then annotate the Environment with terrarium.dev/confirm-gone=<Run>.",
  },
  RemovalNeedsConfirmation: {
    standing: "person",
    meaning:
      "The component is no longer declared. Annotate the Environment with terrarium.dev/confirm-destroy=<component> to destroy what it made.",
  },
  NameTaken: {
    standing: "person",
    meaning:
      "The component was renamed (formerName), and another state has its new name. Declare it under its former name again, or take formerName off.",
  },
  ManyDeletions: {
    standing: "person",
    meaning:
      "Many Environments were deleted within a minute. Nothing of this one is destroyed until it is annotated with terrarium.dev/confirm-delete=true.",
  },
  CredentialsMissing: {
    standing: "person",
    meaning: "A Secret that destroying needs is gone. Create it again; it goes on by itself.",
  },
  StateOwnedByOther: {
    standing: "person",
    meaning: "Another Environment owns the state of this name. Name its UID in spec.adopt.uid to take it over.",
  },
  StateLost: {
    standing: "person",
    meaning:
      "The state that was stored is gone, cannot be read, or is not what was recorded. Nothing is applied and nothing is destroyed until a state is restored or pushed.",
  },
  StateUnsaved: {
    standing: "person",
    meaning: "A state could not be stored and is kept as a recovery copy: restore that, or a version of the state.",
  },
  RecordUnreadable: {
    standing: "person",
    meaning:
      "What the store has of the component cannot be read. Nothing new of the Environment is applied or destroyed until the Secret that the message names is restored; it then goes on by itself.",
  },
  ArchiveMissing: {
    standing: "person",
    meaning:
      "Something may exist, and no archive says how to destroy it. Declare and apply the component once, or set `deletionPolicy: Retain`.",
  },
  KeyMissing: {
    standing: "person",
    meaning: "No encryption key fits the stored states. Restore the key's Secret from its backup.",
  },
  CRDTerminating: {
    standing: "person",
    meaning: "The custom resource definition is being deleted. No destroy starts because of that.",
  },
  InternalError: {
    standing: "progress",
    meaning: "The operator itself failed. It tries again; please report it with the operator's log.",
  },
} as const satisfies Record<string, ReasonFacts>;

export type Reason = keyof typeof REASONS;

export const reasonNames = Object.keys(REASONS) as readonly Reason[];

export function standingOf(reason: Reason): Standing {
  return REASONS[reason].standing;
}
