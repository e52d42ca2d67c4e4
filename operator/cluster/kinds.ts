import type {
  EventsV1Event,
  V1ConfigMap,
  V1Lease,
  V1Namespace,
  V1Node,
  V1Pod,
  V1Secret,
  V1Service,
} from "@kubernetes/client-node";
import type { ObjectMeta } from "./ports.ts";

/**
 * The shape on the wire of a generated class: dates are RFC 3339 strings, and null where nobody has set them. Only types of client-node are used; its
 * serializer, which drops fields that it does not know, is not.
 */
type Wire<T> = T extends Date
  ? string | null
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Wire<T[Key]> }
      : T;

/** A kind of Kubernetes' own, with our metadata. */
type Kind<T> = Omit<Wire<T>, "metadata"> & { readonly metadata: ObjectMeta };

export type Pod = Kind<V1Pod>;
export type Secret = Kind<V1Secret>;
export type ConfigMap = Kind<V1ConfigMap>;
export type Service = Kind<V1Service>;
export type Node = Kind<V1Node>;
export type Namespace = Kind<V1Namespace>;
export type Lease = Kind<V1Lease>;
/** events.k8s.io/v1 */
export type Event = Kind<EventsV1Event>;
export type PodSpec = NonNullable<Pod["spec"]>;
export type Container = PodSpec["containers"][number];
export type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

/** Kubernetes' MicroTime, which leases and events hold: a time without six decimals is refused. */
export const microTime = (at: Date): string => at.toISOString().replace("Z", "000Z");
