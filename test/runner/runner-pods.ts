/** Runner pods for the tests of one `describe`, what they are to do, and what they leave. */
import assert from "node:assert/strict";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { type RunnerPod, type RunnerPodOptions, startRunnerPod } from "./pod.ts";

/** Starts pods, which are removed when their test has ended. */
export function runnerPods(): (options: RunnerPodOptions) => Promise<RunnerPod> {
  const pods: RunnerPod[] = [];
  afterEach(async () => {
    for (const pod of pods.splice(0)) await pod.remove();
  });
  return async (options) => {
    const pod = await startRunnerPod(options);
    pods.push(pod);
    return pod;
  };
}

/** An order whose module is one file. */
export const inline = (text: string): Pick<WorkOrder, "source"> => ({ source: { inline: { "main.tf": text } } });

/** How a pod's Run has ended, and whether its lock is left. */
export function ending(pod: RunnerPod) {
  const { result, reason, resources } = pod.outcome() ?? {};
  return { result, reason, resources, lock: pod.gateway.memory.lock };
}

/** In nothing that leaves the pod but the state and the archive. */
export function assertNowhere(pod: RunnerPod, secret: string): void {
  const { result, plans, journal, progress } = pod.gateway.memory;
  const said = [pod.log(), pod.termination(), JSON.stringify([result, plans, journal, progress])];
  for (const text of said) assert.ok(!text.includes(secret), `${secret} is in: ${text}`);
}
