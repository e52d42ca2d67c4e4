import type { ComponentPicture } from "./picture.ts";

/** What helps where a stored state keeps everything waiting. */
export interface StateAdvice {
  /** What the commands do not tell by themselves. */
  readonly says: string;
  /** Behind `kubectl terrarium`, in the order in which they are worth a try. */
  readonly commands: readonly string[];
}

/** Undefined where no state that somebody restores or pushes would help. */
export function stateAdvice(environment: string, component: ComponentPicture): StateAdvice | undefined {
  const of = `${environment} ${component.name}`;
  const [list, restore, push] = [`state list ${environment}`, `state restore ${of}`, `state push ${of} -f FILE`];
  switch (component.reason) {
    case "StateUnsaved":
      return {
        says: "Where that copy cannot be read as a state, --force gives it up: restore a version with it, or push a state.",
        commands: [list, `${restore} --recovery`, `${restore} --serial N --force`],
      };
    case "StateLost":
      if (KEEPS_NOTHING.test(component.message ?? "")) return { says: withoutVersions(component), commands: [push] };
      return {
        says: "Restore a version that is right; where none is, push a copy that you have.",
        commands: [list, `${restore} --serial N`, push],
      };
    default:
      return undefined;
  }
}

/** In the operator's words: the whole record is gone, or no version is in it. */
const KEEPS_NOTHING = /the store (knows nothing of it|has none)|is gone by now/;

/** A first push is taken for what is declared. */
function withoutVersions({ name, declared }: ComponentPicture): string {
  const push = declared ? "push a copy that you have" : `declare ${name} again and push a copy that you have`;
  return `Nothing of it is kept that could be restored: ${push}, or restore the store's backup (docs/state.md).`;
}
