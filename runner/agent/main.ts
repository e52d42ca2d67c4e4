/** The program of the agent container. */
import { runAgent } from "./agent.ts";
import { readConfig } from "./config.ts";
import { podLayout } from "./layout.ts";

const ending = new AbortController();

// Once: the engine may take minutes to save its state, and nothing here may hurry it.
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => ending.abort(new Error("the pod was told to end")));
}

try {
  process.exitCode = await runAgent({
    config: readConfig(),
    layout: podLayout,
    ending: ending.signal,
    print: (text) => process.stdout.write(text),
  });
} catch (error) {
  process.stderr.write(`agent: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
// Nothing that is still open may keep a pod alive that has said its last word.
process.exit();
