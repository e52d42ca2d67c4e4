import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { readConfig } from "../../../plugin/config.ts";
import { processTerminal } from "../../../plugin/process-terminal.ts";

function streams(tty: { readonly stdin?: boolean; readonly stdout?: boolean } = {}) {
  const stdin = Object.assign(new PassThrough(), { isTTY: tty.stdin === true });
  const stdout = Object.assign(new PassThrough(), { isTTY: tty.stdout === true });
  const stderr = Object.assign(new PassThrough(), { isTTY: true });
  return { stdin, stdout, stderr };
}

const { signal } = new AbortController();

describe("the terminal of the plugin", () => {
  it("shows colours on terminals only, and not to who wants none", () => {
    const mayColour = (env: NodeJS.ProcessEnv) => readConfig(env).mayColour;
    assert.equal(processTerminal(streams({ stdout: true }), mayColour({}), signal).colours, true);
    assert.equal(processTerminal(streams(), mayColour({}), signal).colours, false);
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }])
      assert.equal(processTerminal(streams({ stdout: true }), mayColour(env), signal).colours, false);
    assert.equal(mayColour({ NO_COLOR: "" }), true);
  });

  it("asks on stderr, so that what is printed stays clean", async () => {
    const { stdin, stdout, stderr } = streams({ stdin: true });
    const answer = processTerminal({ stdin, stdout, stderr }, true, signal).ask("Sure? ");
    stdin.write("yes\n");
    assert.equal(await answer, "yes");
    assert.equal(stdout.read(), null);
    assert.match(String(stderr.read()), /Sure\? /);
  });

  it("takes the end of the input for no answer", async () => {
    const { stdin, stdout, stderr } = streams({ stdin: true });
    const answer = processTerminal({ stdin, stdout, stderr }, true, signal).ask("Sure? ");
    stdin.end();
    assert.equal(await answer, "");
  });

  it("asks nobody where nobody types", () => {
    assert.equal(processTerminal(streams({ stdin: true }), true, signal).interactive, true);
    assert.equal(processTerminal(streams(), true, signal).interactive, false);
  });

  it("redraws on a terminal, and goes on below elsewhere", () => {
    const drawn = streams({ stdout: true });
    processTerminal(drawn, true, signal).show("picture");
    assert.match(String(drawn.stdout.read()), /2J.*picture\n$/);
    const piped = streams();
    processTerminal(piped, true, signal).show("picture");
    assert.equal(String(piped.stdout.read()), "picture\n");
  });

  it("hears when nobody reads any more, and goes on in silence", () => {
    const { stdin, stdout, stderr } = streams();
    const terminal = processTerminal({ stdin, stdout, stderr }, true, signal);
    const [broken, destroyed] = [new Error("EPIPE"), new Error("ERR_STREAM_DESTROYED")];
    stderr.emit("error", broken);
    assert.equal(terminal.unread.aborted, false);
    stdout.emit("error", broken);
    stdout.emit("error", destroyed);
    assert.equal(terminal.unread.reason, broken);
  });

  it("passes contents on byte for byte, in both directions", async () => {
    const { stdin, stdout, stderr } = streams();
    const terminal = processTerminal({ stdin, stdout, stderr }, true, signal);
    terminal.write(Buffer.from([0, 255, 10]));
    assert.deepEqual([...stdout.read()], [0, 255, 10]);
    stdin.end('{"é": 1}');
    assert.equal(await terminal.read(), '{"é": 1}');
  });
});
