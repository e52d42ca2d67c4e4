/** A program with little memory: its gateway is sent the states of a hostile runner, and that Run's end, and it prints the answers. */
import { aHostileState } from "../storage/hostile-state.ts";
import { gatewayWorld, untilApplying } from "./gateway-world.ts";

const world = await gatewayWorld();
const run = world.aRun("network", 1);
const { json } = await world.claim(world.aPod(run), run);
const ask = (method: string, path: string, body: Buffer | object) =>
  world.call(world.gateway, method, path, String(json.session), body);
await untilApplying(ask);
await ask("PUT", "/v1/state/lock", { ID: "mine" });
const state = await ask("POST", "/v1/state?ID=mine", aHostileState(Number(process.argv[2])));
const outcome = { result: "Failed", reason: "ApplyFailed", message: "m" };
const end = await ask("POST", "/v1/result", { outcome, outputs: [] });
console.log(state.status, end.status);
process.exit(0);
