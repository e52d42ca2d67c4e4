import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { Command } from "../../../runner/launcher/command.ts";

describe("A command that leaves processes which survive SIGKILL", () => {
  for (const [how, script, code, signal] of [
    ["well", "exit 0", 0, null],
    ["with an error", "exit 1", 1, null],
    ["by a signal", "kill -KILL $$", null, "SIGKILL"],
  ] as const) {
    it(`has ended ${how} all the same: nobody may take it for one that was never started`, async () => {
      const said: string[] = [];
      const request = { args: ["-c", script], cwd: tmpdir(), env: {}, timeoutMs: 5_000, graceMs: 100 };
      const command = new Command(
        { type: "run", id: "apply", ...request },
        {
          program: "/bin/sh",
          environment: {},
          out: tmpdir(),
          onLine: () => {},
          afterExit: () => Promise.reject(new Error("processes survive SIGKILL: 7")),
          log: (text) => said.push(text),
        },
      );
      const result = await command.result;
      assert.deepEqual([result.code, result.signal, result.startError], [code, signal, undefined]);
      assert.match(said.join(), /survive SIGKILL: 7/);
    });
  }
});
