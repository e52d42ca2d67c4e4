import type { EnvironmentSpec } from "../../operator/api/environment.ts";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import type { Gateway } from "../../operator/gateway/gateway.ts";

/** What is inside the runner pods of a story: programs that play an engine, or the real ones. */
export interface Engines {
  /** What the Environment declares for them: at first, and after it was changed. */
  spec(version: 1 | 2): Pick<EnvironmentSpec, "source" | "components">;
  /** One pod from the start of its containers to their end. False: it was killed. */
  run(pod: Stored<Pod>, hands: Hands): Promise<boolean>;
  /** Everything that engines did to real things, in order. */
  ledger(): readonly string[];
  /** The real things that exist. */
  things(): readonly string[];
  close(): Promise<void>;
}

/** What a kubelet gives to a pod. */
export interface Hands {
  readonly gateway: Pick<Gateway, "url" | "caPem">;
  /** Bound to the pod, for the gateway. */
  token(): Promise<string>;
  /** Aborts when the pod is asked to end. */
  readonly ending: AbortSignal;
  /** Aborts when the node is gone, and the pod with it. */
  readonly gone: AbortSignal;
}

export interface EnginesParts {
  readonly tell: (line: string) => void;
  /** A promise of the operator's is broken. */
  readonly violated: (what: string) => void;
  /** Told after every change of a real thing; true: the pod is killed at this moment. */
  readonly dies: () => boolean;
}
