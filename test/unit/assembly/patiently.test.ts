import assert from "node:assert/strict";
import { patiently } from "../../../operator/assembly/patiently.ts";
import { ApiError, ApiUnreachable } from "../../../operator/cluster/errors.ts";

const refusal = (status: number, message = "no") =>
  new ApiError({ request: "get secrets", status, reason: "No", message });
const AWAY = new ApiUnreachable("get secrets", "connect ECONNREFUSED");

/** Fails with each of these in turn, and succeeds then. */
function beginning(...failures: readonly Error[]) {
  const left = [...failures];
  const pauses: number[] = [];
  const told: unknown[] = [];
  const stop = new AbortController();
  const begin = () =>
    patiently(
      async () => {
        const failure = left.shift();
        if (failure !== undefined) throw failure;
        return "begun";
      },
      {
        clock: { sleep: async (ms) => void pauses.push(ms) },
        random: () => 1,
        onTrouble: (error) => told.push(error),
      },
      stop.signal,
    );
  return { begin, pauses, told, stop };
}

describe("What a process cannot begin without", () => {
  const noRight = refusal(403, 'secrets is forbidden: User "operator" cannot get resource "secrets" in API group ""');
  const notReady = refusal(403, 'secrets "key" is forbidden: not yet ready to handle request');
  for (const [what, error] of [
    ["does not answer", AWAY],
    ["does not know the operator yet", refusal(401)],
    ["asks for patience", refusal(429)],
    ["is unwell", refusal(503)],
    ["does not know the operator's rights yet", noRight],
    ["cannot judge yet what it is asked", notReady],
  ] as const) {
    it(`is tried until it is there while the API server ${what}`, async () => {
      const { begin, told } = beginning(error, error);
      assert.equal(await begin(), "begun");
      assert.deepEqual(told, [error, error]);
    });
  }

  it("is tried with growing pauses, of at most a quarter of a minute", async () => {
    const { begin, pauses } = beginning(...Array.from({ length: 8 }, () => AWAY));
    await begin();
    assert.deepEqual(pauses, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  it("ends the process where waiting does not help", async () => {
    for (const error of [refusal(403, "quota exceeded"), refusal(422), new Error("no key fits")]) {
      const { begin, pauses } = beginning(error);
      await assert.rejects(begin(), error);
      assert.deepEqual(pauses, []);
    }
  });

  it("is given up when the process is told to end", async () => {
    const { begin, stop } = beginning(AWAY);
    stop.abort(new Error("SIGTERM"));
    await assert.rejects(begin(), /SIGTERM/);
  });
});
