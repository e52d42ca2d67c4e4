/** Journeys run side by side, those that disturb the whole installation alone; across processes, by the kernel's locks. */
import { spawn } from "node:child_process";
import { lockFile } from "../../../tools/cluster/paths.ts";

const name = process.env.TERRARIUM_TEST_CLUSTER ?? "test";
const door = lockFile(`journeys-${name}-door`);
const room = lockFile(`journeys-${name}-room`);

type Release = () => Promise<void>;

/** Resolves when the journey may begin. Who waits to be alone keeps the door closed, so that nobody new comes in. */
export async function enter(manner: "beside others" | "alone"): Promise<Release> {
  const closeDoor = await hold(door, "--exclusive");
  const leave = await hold(room, manner === "alone" ? "--exclusive" : "--shared");
  if (manner === "beside others") {
    await closeDoor();
    return leave;
  }
  return async () => {
    await leave();
    await closeDoor();
  };
}

/** A child holds the lock for as long as its standard input is open: at most as long as we live. */
async function hold(file: string, mode: "--exclusive" | "--shared"): Promise<Release> {
  const child = spawn("flock", [mode, file, "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("error", reject);
    child.once("close", () => reject(new Error(`cannot lock ${file}: is flock of util-linux installed?`)));
  });
  return async () => {
    child.stdin.end();
    await ended;
  };
}
