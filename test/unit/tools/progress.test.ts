import assert from "node:assert/strict";
import { atIntervals } from "../../../tools/cluster/steps.ts";

describe("Progress in a log", () => {
  const told = (milliseconds: number, messages: readonly string[]) => {
    const lines: string[] = [];
    const say = atIntervals(milliseconds, (line) => lines.push(line));
    for (const message of messages) say(message);
    return lines;
  };

  it("is a line for each new kind of message, and for a count only now and then", () => {
    const messages = ["etcd: 1 packages compiled", "etcd: 2 packages compiled", "helm: 1 packages compiled"];
    assert.deepEqual(told(60_000, messages), ["etcd: 1 packages compiled", "helm: 1 packages compiled"]);
  });

  it("goes on when the time has passed", () => {
    assert.deepEqual(told(0, ["1 of 3", "2 of 3", "3 of 3"]), ["1 of 3", "2 of 3", "3 of 3"]);
  });
});
