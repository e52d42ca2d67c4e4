/** The words that every other file and every manifest agree on: API group, labels, annotations, finalizers. */

export const GROUP = "terrarium.dev";
export const VERSION = "v1alpha1";
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Field manager of everything that the operator applies. */
export const FIELD_MANAGER = "terrarium";

/** Audience of the projected token with which a runner pod introduces itself to the gateway. */
export const GATEWAY_AUDIENCE = "terrarium-gateway";

export const LABELS = {
  /** Name of the Environment that a Run, a pod or an output object belongs to. */
  environment: `${GROUP}/environment`,
  /** UID of that Environment: an object made anew under the same name is another Environment. */
  environmentUid: `${GROUP}/environment-uid`,
  component: `${GROUP}/component`,
  run: `${GROUP}/run`,
  /** Marks the Secrets and ConfigMaps that `writeOutputsTo` makes. */
  outputsOf: `${GROUP}/outputs-of`,
  /** Marks the ConfigMaps that hold the text of a plan, with the name of its Run: only the operator may write one. */
  planOf: `${GROUP}/plan-of`,
  /** Sorts the Secrets of the state store: `record`, `blob` or `key`. */
  stored: `${GROUP}/stored`,
} as const;

export const ANNOTATIONS = {
  /** Any new value on an Environment asks for one fresh Run of every component. */
  requestedAt: `${GROUP}/requestedAt`,
  /** Comma-separated component names whose removal from the spec may destroy what they made. */
  confirmDestroy: `${GROUP}/confirm-destroy`,
  /** A moment until which the Environment lives at least, whatever `spec.lifetime` says. */
  extendUntil: `${GROUP}/extend-until`,
  /** A person's reason for changes outside of `spec.windows`; taken off when it was used. */
  windowOverride: `${GROUP}/window-override`,
  /** `true` on an Environment that is being deleted: its destruction is meant, although many others were deleted with it. */
  confirmDelete: `${GROUP}/confirm-delete`,
  /** Runs, separated by commas: a person has seen to what their interrupted applies had begun and no state has. */
  confirmGone: `${GROUP}/confirm-gone`,
  /** On an Environment: the name of a Run that a person wants to end. Taken off once that has been done. */
  cancel: `${GROUP}/cancel`,
  /** Proves that a pod was made by the operator for one Run and one phase: an HMAC that nobody else can make. */
  order: `${GROUP}/order`,
  /** On a Run: its state went on under this component name, so the Run says nothing about its own name any more. */
  movedTo: `${GROUP}/moved-to`,
  /** On such a Run: what its state is called by now. Missing where an earlier version marked it, which did not follow a state beyond one rename. */
  stateName: `${GROUP}/state-name`,
  /** On a Run: what its plan was made for is no longer wanted; the value says why. It has no meaning once the Run applies. */
  superseded: `${GROUP}/superseded`,
  /** On a Run: the person's reason for which it went on although no window was open. Its cause has the one that it was made for. */
  outsideWindows: `${GROUP}/outside-windows`,
  /** On a Run: a person states that the pod with this UID is dead although the cluster cannot prove it. */
  confirmDead: `${GROUP}/confirm-dead`,
} as const;

export const FINALIZERS = {
  environment: `${GROUP}/environment`,
  /** On Runs: keeps the record until its pod is proven dead and its lock is released. */
  run: `${GROUP}/run`,
  /** On runner pods: keeps the object, and so the exit codes, until the Run has seen them. */
  pod: `${GROUP}/run-pod`,
} as const;
