import assert from "node:assert/strict";
import fc from "fast-check";
import { lines } from "../../../operator/cluster/watch.ts";

async function* inChunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const size of [...sizes, bytes.length]) {
    if (from >= bytes.length) return;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

describe("the lines of a watch", () => {
  it("are the same however the network cuts them, within characters too", async () => {
    const text = fc.array(fc.string({ unit: "binary", minLength: 1 }).map((line) => JSON.stringify(line)));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.integer({ min: 1, max: 7 })), async (expected, sizes) => {
        const bytes = new TextEncoder().encode(expected.map((line) => `${line}\n`).join(""));
        const got = [];
        for await (const line of lines(inChunks(bytes, sizes))) got.push(line);
        assert.deepEqual(got, expected);
      }),
    );
  });

  it("a last line that was cut off is none", async () => {
    const got = [];
    for await (const line of lines(inChunks(new TextEncoder().encode('{"a":1}\n{"b":'), []))) got.push(line);
    assert.deepEqual(got, ['{"a":1}']);
  });
});
