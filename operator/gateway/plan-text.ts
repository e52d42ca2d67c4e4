import { API_VERSION, LABELS } from "../api/names.ts";
import { ApiError, isConflict } from "../cluster/errors.ts";
import type { ConfigMap } from "../cluster/kinds.ts";
import type { ObjectReference, Writer } from "../cluster/ports.ts";
import { CONFIG_MAPS, RUNS } from "../cluster/resources.ts";
import { Refused } from "../storage/refusal.ts";
import type { Session } from "./sessions.ts";

/** Key of the ConfigMap that holds the text. */
export const PLAN_TEXT_KEY = "plan.txt";

export const planTextName = (run: string): string => `${run}-plan`;

/** The plan as people read it: beside its Run, with the rights of its namespace, and gone with it. */
export interface PlanTexts {
  /** Throws `Refused` where Kubernetes does not take it, whoever asks again. */
  write(session: Session, text: string, signal: AbortSignal): Promise<void>;
}

/**
 * The label says that the operator wrote it: admission lets nobody else write a ConfigMap that carries it, and keeps the operator from
 * writing one that does not.
 */
export function createPlanTexts(client: Pick<Writer, "apply">): PlanTexts {
  return {
    async write(session, text, signal) {
      const { key, run } = session;
      const metadata = {
        name: planTextName(run),
        namespace: key.namespace,
        labels: {
          [LABELS.planOf]: run,
          [LABELS.environment]: key.environment,
          [LABELS.component]: key.component,
        },
        ownerReferences: [ownerOf(session)],
      };
      const object: ConfigMap = { metadata, immutable: true, data: { [PLAN_TEXT_KEY]: text } };
      try {
        await client.apply<ConfigMap>(CONFIG_MAPS, object, { signal });
      } catch (error) {
        if (!isFinal(error)) throw error;
        const why = `the ConfigMap ${metadata.name} could not be written: ${error.message}`;
        throw new Refused("BadRequest", why.slice(0, 1_000));
      }
    },
  };
}

const ownerOf = ({ run, runUid }: Session) => ({ apiVersion: API_VERSION, kind: RUNS.kind, name: run, uid: runUid });

/** The Run of a session, for events. */
export const runReference = (session: Session): ObjectReference => ({
  ...ownerOf(session),
  namespace: session.key.namespace,
});

/** Admission, a quota, or an object of that name that is somebody else's. */
const isFinal = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429 && !isConflict(error);
