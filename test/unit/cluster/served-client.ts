import assert from "node:assert/strict";
import { createClient } from "../../../operator/cluster/client.ts";
import { type Exchange, type FakeApi, fakeApi, transportTo } from "./fake-api.ts";

/** An object as the server has it. */
export const stored = (name: string) => ({
  metadata: {
    name,
    namespace: "shop",
    uid: `uid-${name}`,
    resourceVersion: "7",
    creationTimestamp: "2030-01-01T00:00:00Z",
  },
});

type Answer = (exchange: Exchange, count: number) => void;

/** Servers that say what a test tells them to, and clients of them; each is closed when its test has ended. */
export function servedClients() {
  let api: FakeApi | undefined;
  afterEach(() => api?.close());
  const serve = async (answer: Answer): Promise<FakeApi> => {
    api = await fakeApi(answer);
    return api;
  };
  return {
    serve,
    clientOf: async (answer: Answer) => createClient(transportTo(await serve(answer))),
    /** What the server of this test was asked. */
    exchanges: (): readonly Exchange[] => api?.exchanges ?? assert.fail("no server was asked for"),
  };
}
