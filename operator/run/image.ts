import type { Run } from "../api/run.ts";
import type { RunStatus } from "../api/run-status.ts";
import type { ObservedPod, RunObservation } from "./observation.ts";

type RecordedPod = NonNullable<RunStatus["pods"]>[number];

const LONGEST_IMAGE = 512;
/** The kubelet tells it within seconds. One that has not until then, or has died, may never do so. */
const LONGEST_WAIT_MS = 60_000;

/** The image that the engine really runs from, as the kubelet tells it: a tag may name other bytes tomorrow. */
export function imageOf(pod: ObservedPod | undefined): string | undefined {
  const image = pod?.status?.containerStatuses?.find(({ name }) => name === "engine")?.imageID;
  return image === undefined || image === "" ? undefined : image.slice(0, LONGEST_IMAGE);
}

/** The pods of a Run as they are recorded, with the images that are known by now. */
export function withImages(recorded: readonly RecordedPod[], { pod, planPod }: RunObservation): RecordedPod[] {
  const images = new Map([pod, planPod].map((one) => [one?.metadata.uid, imageOf(one)]));
  return recorded.map((one) => {
    const image = images.get(one.uid) ?? one.image;
    return image === undefined ? one : { ...one, image };
  });
}

/** The pod tells its image, and the record of the Run does not hold it. */
export function isImageToRecord(run: Run, pod: ObservedPod): boolean {
  return !isLeaving(run) && isImageMissing(run, pod) && imageOf(pod) !== undefined;
}

/**
 * Until when a Run that has ended is held for the image of one of these pods, in milliseconds since 1970: its result may come before the kubelet's
 * first word about the pod. Undefined: nothing more is to come.
 */
export function imageAwaitedUntilMs(observation: RunObservation, pods: readonly ObservedPod[]): number | undefined {
  const { run, nowMs } = observation;
  if (isLeaving(run)) return undefined;
  const awaited = pods.some((pod) => isImageMissing(run, pod) && imageOf(pod) === undefined && mayStillTell(pod));
  const finishedMs = Date.parse(run.status?.finishedAt ?? "");
  // A clock that was set back since is no reason to wait for hours.
  const isRecent = Math.abs(nowMs - finishedMs) < LONGEST_WAIT_MS;
  return awaited && isRecent ? finishedMs + LONGEST_WAIT_MS : undefined;
}

const isLeaving = ({ metadata }: Run): boolean => metadata.deletionTimestamp !== undefined;

const isImageMissing = ({ status }: Run, { metadata }: ObservedPod): boolean =>
  status?.pods?.some(({ uid, image }) => uid === metadata.uid && image === undefined) ?? false;

const mayStillTell = ({ metadata, status }: ObservedPod): boolean =>
  metadata.deletionTimestamp === undefined && status?.phase !== "Succeeded" && status?.phase !== "Failed";
