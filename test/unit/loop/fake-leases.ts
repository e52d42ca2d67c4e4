import { ApiError, ApiUnreachable } from "../../../operator/cluster/errors.ts";
import type { KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import type { ElectionOptions } from "../../../operator/loop/lease.ts";
import type { FakeClock } from "./fake-clock.ts";

type LeaseClient = ElectionOptions["client"];

export interface FakeLeases {
  /** A line of its own for each candidate: it can be cut, and it can lose answers. */
  lineTo(line?: { cut: boolean; losesAnswers?: boolean }): LeaseClient;
  holder(): string | undefined;
  remove(): void;
  /** Somebody else changes the object without touching who holds it. */
  label(): void;
  readonly writes: () => number;
}

/** Compare-and-swap on one lease, in memory. A cut line takes as long as the deadline to fail. */
export function fakeLeases(clock: FakeClock): FakeLeases {
  let stored: Stored<KubeObject> | undefined;
  let version = 0;
  let writes = 0;
  const refuse = (status: number, reason: string) =>
    new ApiError({ request: "lease", status, reason, message: reason });
  const keep = (object: KubeObject): Stored<KubeObject> => {
    version += 1;
    writes += 1;
    const meta = { uid: "1", creationTimestamp: "2030-01-01T00:00:00Z", resourceVersion: String(version) };
    stored = structuredClone({ ...object, metadata: { ...object.metadata, ...meta } });
    return stored;
  };

  return {
    writes: () => writes,
    holder: () => (stored as { spec?: { holderIdentity?: string } } | undefined)?.spec?.holderIdentity,
    remove: () => {
      stored = undefined;
    },
    label: () => {
      if (stored !== undefined) keep(stored);
    },
    lineTo(line = { cut: false }) {
      const over = async <T>(deadlineMs: number | undefined, work: () => T): Promise<T> => {
        if (!line.cut) {
          const answer = work();
          if (line.losesAnswers !== true) return answer;
        }
        await clock.sleep(deadlineMs ?? 10_000);
        throw new ApiUnreachable("lease", "the line is cut");
      };
      return {
        find: <T extends KubeObject>(...[, , , options]: Parameters<LeaseClient["find"]>) =>
          over(options?.deadlineMs, () => structuredClone(stored) as Stored<T> | undefined),
        create: <T extends KubeObject>(...[, object, options]: Parameters<LeaseClient["create"]>) =>
          over(options?.deadlineMs, () => {
            if (stored !== undefined) throw refuse(409, "AlreadyExists");
            return keep(object) as Stored<T>;
          }),
        replace: <T extends KubeObject>(...[, object, options]: Parameters<LeaseClient["replace"]>) =>
          over(options?.deadlineMs, () => {
            if (stored === undefined) throw refuse(404, "NotFound");
            if (object.metadata.resourceVersion !== stored.metadata.resourceVersion) throw refuse(409, "Conflict");
            return keep(object) as Stored<T>;
          }),
      };
    },
  };
}
