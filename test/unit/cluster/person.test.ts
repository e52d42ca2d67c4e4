import assert from "node:assert/strict";
import { isNotFound } from "../../../operator/cluster/errors.ts";
import { createPodLog } from "../../../operator/cluster/pod-log.ts";
import { RUNS } from "../../../operator/cluster/resources.ts";
import { createSelf } from "../../../operator/cluster/self.ts";
import { createServerFacts } from "../../../operator/cluster/server-facts.ts";
import { type Exchange, type FakeApi, fakeApi, transportTo } from "./fake-api.ts";

async function allOf(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

describe("what a person asks of the API server", () => {
  let api: FakeApi | undefined;
  const to = async (answer: (exchange: Exchange) => void) => {
    api = await fakeApi(answer);
    return transportTo(api);
  };
  afterEach(() => api?.close());

  it("who am I: the name that admission will see", async () => {
    const transport = await to(({ reply }) => reply(201, { status: { userInfo: { username: "jane", groups: [] } } }));
    assert.equal(await createSelf(transport).whoAmI(), "jane");
    assert.equal(api?.exchanges[0]?.path, "/apis/authentication.k8s.io/v1/selfsubjectreviews");
  });

  it("may I: yes only when the server says so", async () => {
    const transport = await to(({ body, reply }) => {
      const { name } = JSON.parse(body).spec.resourceAttributes;
      reply(201, { status: name === "mine" ? { allowed: true } : { allowed: false, reason: "" } });
    });
    const self = createSelf(transport);
    const question = { verb: "patch", resource: RUNS, namespace: "team" };
    assert.deepEqual(
      [await self.mayI({ ...question, name: "mine" }), await self.mayI({ ...question, name: "theirs" })],
      [true, false],
    );
    assert.deepEqual(JSON.parse(api?.exchanges[0]?.body ?? "").spec.resourceAttributes, {
      verb: "patch",
      namespace: "team",
      name: "mine",
      group: "terrarium.dev",
      version: "v1alpha1",
      resource: "runs",
    });
  });

  it("which kinds are there: none where the group is unknown", async () => {
    const transport = await to(({ path, reply, refuse }) =>
      path === "/apis/terrarium.dev/v1alpha1"
        ? reply(200, { resources: [{ name: "runs" }, { name: "runs/status" }] })
        : refuse(404, "NotFound"),
    );
    const facts = createServerFacts(transport);
    assert.deepEqual(await facts.resourcesOf("terrarium.dev", "v1alpha1"), ["runs", "runs/status"]);
    assert.equal(await facts.resourcesOf("other.dev", "v1"), undefined);
  });

  it("the log of a pod, line by line, however it is cut, with a last line that nothing ends", async () => {
    const transport = await to(({ response }) => {
      response.writeHead(200, { "content-type": "text/plain" });
      const bytes = Buffer.from("one\ntwo ◄\nthree");
      // In the middle of a character.
      response.write(bytes.subarray(0, 9));
      setImmediate(() => response.end(bytes.subarray(9)));
    });
    const options = { container: "agent", follow: true, tailLines: 5, signal: new AbortController().signal };
    const lines = await allOf(createPodLog(transport)("team", "p", options));
    assert.deepEqual(lines, ["one", "two ◄", "three"]);
    const [exchange] = api?.exchanges ?? [];
    assert.equal(exchange?.path, "/api/v1/namespaces/team/pods/p/log");
    assert.equal(String(exchange?.query), "container=agent&follow=true&tailLines=5");
  });

  it("the log of a pod from a moment on, with the moments of its lines", async () => {
    const transport = await to(({ response }) => response.end("2026-01-01T00:00:01.5Z one"));
    const since = { sinceTime: "2026-01-01T00:00:01Z", timestamps: true };
    const options = { container: "agent", follow: false, signal: new AbortController().signal, ...since };
    assert.deepEqual(await allOf(createPodLog(transport)("team", "p", options)), ["2026-01-01T00:00:01.5Z one"]);
    const query = api?.exchanges[0]?.query;
    assert.deepEqual([query?.get("sinceTime"), query?.get("timestamps")], [since.sinceTime, "true"]);
  });

  it("the log of a pod that is gone", async () => {
    const transport = await to(({ refuse }) => refuse(404, "NotFound"));
    const options = { container: "agent", follow: false, signal: new AbortController().signal };
    await assert.rejects(allOf(createPodLog(transport)("team", "p", options)), isNotFound);
  });
});
