/** The agent's program with folders of a test instead of the pod's volumes. */
import { runAgent } from "../../runner/agent/agent.ts";
import { readConfig } from "../../runner/agent/config.ts";
import { podLayout } from "../../runner/agent/layout.ts";

const ending = new AbortController();
process.on("SIGTERM", () => ending.abort(new Error("the pod was told to end")));
process.exitCode = await runAgent({
  config: readConfig(process.env),
  layout: { ...podLayout, ...JSON.parse(process.env.TEST_LAYOUT ?? "{}") },
  ending: ending.signal,
  print: (text) => process.stdout.write(text),
});
process.exit();
