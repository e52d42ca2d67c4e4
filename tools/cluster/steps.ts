import { Listr, type ListrTask, PRESET_TIMER } from "listr2";
import type { Progress } from "./binaries.ts";

/** One thing that takes a moment and that a person wants to see happen. */
export interface Step {
  readonly title: string;
  readonly run: (progress: Progress) => Promise<void>;
}

/** Steps that follow each other, or a bundle of steps that run side by side. */
export type Plan = readonly (Step | readonly Step[])[];

/** Where progress goes: `auto` is a live list on a terminal and plain lines elsewhere. */
export type ProgressStyle = "auto" | "silent";

export function say(style: ProgressStyle, message: string): void {
  if (style !== "silent") console.log(message);
}

/** Runs a plan. On a terminal each step is a line that changes; elsewhere a line is printed at its start and its end. */
export async function runPlan(plan: Plan, style: ProgressStyle): Promise<void> {
  if (style === "auto" && process.stdout.isTTY && process.stdout.columns > 0) return runOnTerminal(plan);
  const print = (line: string) => say(style, line);
  for (const entry of plan) {
    await together(steps(entry).map((step) => runPlainly(step, print)));
  }
}

async function runOnTerminal(plan: Plan): Promise<void> {
  const task = (step: Step): ListrTask => ({
    title: step.title,
    task: (_, self) =>
      step.run((message) => {
        self.output = message;
      }),
  });
  const tasks = plan.map((entry): ListrTask => {
    const bundle = steps(entry);
    const only = bundle[0];
    if (only !== undefined && bundle.length === 1) return task(only);
    return {
      title: bundle.map((step) => step.title).join(", "),
      task: (_, self) => self.newListr(bundle.map(task), { concurrent: true }),
    };
  });
  await new Listr(tasks, { rendererOptions: { timer: PRESET_TIMER, collapseErrors: false } }).run();
}

async function runPlainly(step: Step, print: (line: string) => void): Promise<void> {
  const started = Date.now();
  const seconds = () => ((Date.now() - started) / 1000).toFixed(1);
  const progress = atIntervals(30_000, (message) => print(`      ${message} (${seconds()} s)`));
  try {
    await step.run(progress);
    print(`done  ${step.title} (${seconds()} s)`);
  } catch (error) {
    print(`FAIL  ${step.title} (${seconds()} s)`);
    throw error;
  }
}

/** Counters are told often: a log needs only a sign of life now and then, but every new kind of message. */
export function atIntervals(milliseconds: number, print: Progress): Progress {
  let last = 0;
  let kind = "";
  return (message) => {
    const messageKind = message.replaceAll(/\d+/g, "#");
    if (messageKind === kind && Date.now() - last < milliseconds) return;
    last = Date.now();
    kind = messageKind;
    print(message);
  };
}

/** All of them end before the first failure is told, so that nothing goes on in the background. */
async function together(running: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(running);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

function steps(entry: Step | readonly Step[]): readonly Step[] {
  return "run" in entry ? [entry] : entry;
}
