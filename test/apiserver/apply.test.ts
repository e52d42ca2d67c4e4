import assert from "node:assert/strict";
import {
  ApiError,
  ApiUnreachable,
  isAlreadyExists,
  isConflict,
  isInvalid,
  isNotFound,
} from "../../operator/cluster/errors.ts";
import { createEventRecorder } from "../../operator/cluster/events.ts";
import type { ConfigMap, Event, Secret } from "../../operator/cluster/kinds.ts";
import type { Client, KubeObject, ObjectMeta, Stored } from "../../operator/cluster/ports.ts";
import { CONFIG_MAPS, ENVIRONMENTS, EVENTS, PODS, referenceTo, SECRETS } from "../../operator/cluster/resources.ts";
import { sameOnTheWire } from "../../operator/cluster/same-on-the-wire.ts";
import { createStatusWriter } from "../../operator/cluster/status.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { type EngineServer, engineServer, installEnvironments, makeNamespace } from "./engine-server.ts";

const NAMESPACE = "engine-apply";
const caught = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: unknown) => error);
const aConfigMap = (name: string, data: Record<string, string>): ConfigMap => ({
  metadata: { name, namespace: NAMESPACE },
  data,
});

describe("on a real API server", function () {
  this.timeout(120_000);
  let server: EngineServer;
  let client: Client;
  before(async () => {
    server = await engineServer();
    client = server.client;
    await makeNamespace(client, NAMESPACE);
  });

  describe("objects", () => {
    it("are created once", async () => {
      const made = await client.create(CONFIG_MAPS, aConfigMap("once", { a: "1" }));
      assert.ok(made.metadata.uid);
      assert.ok(isAlreadyExists(await caught(client.create(CONFIG_MAPS, aConfigMap("once", {})))));
      assert.deepEqual((await client.get<ConfigMap>(CONFIG_MAPS, NAMESPACE, "once")).data, { a: "1" });
      assert.ok(isNotFound(await caught(client.get(CONFIG_MAPS, NAMESPACE, "never"))));
      assert.equal(await client.find(CONFIG_MAPS, NAMESPACE, "never"), undefined);
    });

    it("are replaced by who read the latest version only", async () => {
      const first = await client.create(CONFIG_MAPS, aConfigMap("cas", { holder: "nobody" }));
      await client.replace(CONFIG_MAPS, { ...first, data: { holder: "a" } });
      assert.ok(isConflict(await caught(client.replace(CONFIG_MAPS, { ...first, data: { holder: "b" } }))));
      assert.deepEqual((await client.get<ConfigMap>(CONFIG_MAPS, NAMESPACE, "cas")).data, { holder: "a" });
    });

    it("of eight that swap at once, one wins", async () => {
      const first = await client.create(CONFIG_MAPS, aConfigMap("race", {}));
      const tries = Array.from({ length: 8 }, (_, i) =>
        caught(client.replace(CONFIG_MAPS, { ...first, data: { holder: `${i}` } })),
      );
      const errors = (await Promise.all(tries)).filter((error) => error !== undefined);
      assert.equal(errors.length, 7);
      assert.ok(errors.every(isConflict));
    });

    it("are patched in both dialects", async () => {
      await client.create(CONFIG_MAPS, aConfigMap("patched", { a: "1", b: "2" }));
      await client.mergePatch(CONFIG_MAPS, NAMESPACE, "patched", { data: { a: null, c: "3" } });
      const test = { op: "test", path: "/data/b", value: "2" } as const;
      const patched = await client.jsonPatch<ConfigMap>(CONFIG_MAPS, NAMESPACE, "patched", [
        test,
        { op: "remove", path: "/data/b" },
      ]);
      assert.deepEqual(patched.data, { c: "3" });
      assert.ok(isInvalid(await caught(client.jsonPatch(CONFIG_MAPS, NAMESPACE, "patched", [test]))));
    });

    const odd: Readonly<Record<string, string>> = {
      "mojibake, as in a provider's error": "don\u00e2\u0080\u0099t",
      "Windows' quotation marks": "don\u0092t",
      "the delete character": "a\u007fb",
      "line ends of Unicode": "a\u0085b\u2028c\u2029d",
      "marks of byte order": "\ufeffa\ufffeb\uffff",
      "control characters": "a\u0000b\u001b[31mc\td\re\nf",
      "characters beyond the first plane": "👍 \u{1f692} \u{10ffff}",
      "what YAML might take for something else": "- a: !!b {c} [d] 'e' \"f\" # g & *h \\ % @ `",
    };
    for (const [what, text] of Object.entries(odd)) {
      it(`are applied with ${what}, character for character`, async () => {
        await client.apply(CONFIG_MAPS, aConfigMap("odd", { text }));
        assert.equal((await client.get<ConfigMap>(CONFIG_MAPS, NAMESPACE, "odd")).data?.text, text);
      });
    }

    it("are applied with half a character, as whoever cuts a text leaves it, and say the same ever after", async () => {
      const text = `a reason that is cut \u{1f692}`.slice(0, -1);
      await client.apply(CONFIG_MAPS, aConfigMap("half", { text }));
      const { data, metadata } = await client.get<ConfigMap>(CONFIG_MAPS, NAMESPACE, "half");
      assert.equal(data?.text, text.toWellFormed());
      assert.ok(sameOnTheWire({ text }, data), "or it would be written again in every round");
      const again = await client.apply(CONFIG_MAPS, aConfigMap("half", { text }));
      assert.equal(again.metadata.resourceVersion, metadata.resourceVersion);
    });

    it("are deleted when they are the ones that were meant", async () => {
      const made = await client.create(CONFIG_MAPS, aConfigMap("meant", {}));
      const remove = (uid: string) => client.delete(CONFIG_MAPS, NAMESPACE, "meant", { preconditions: { uid } });
      assert.ok(isConflict(await caught(remove("11111111-2222-3333-4444-555555555555"))));
      assert.equal(await remove(made.metadata.uid), true);
      assert.equal(await remove(made.metadata.uid), false);
    });

    it("are listed page by page, as one moment saw them", async () => {
      const names = Array.from({ length: 7 }, (_, i) => `page-${i}`);
      for (const name of names) {
        const metadata = { name, namespace: NAMESPACE, labels: { paged: "yes" } };
        await client.create(CONFIG_MAPS, { metadata });
      }
      const selection = { namespace: NAMESPACE, labelSelector: "paged=yes", limit: 2 };
      assert.equal((await client.list(CONFIG_MAPS, selection)).items.length, 2);
      const { items } = await client.listAll(CONFIG_MAPS, selection);
      assert.deepEqual(
        items.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
        names.map((name) => `ConfigMap/${name}`),
      );
    });

    it("of a kind that are refused say why, but for Secrets", async () => {
      const invalid = await caught(client.create(CONFIG_MAPS, aConfigMap("x", { "not a key": "hunter2" })));
      assert.ok(isInvalid(invalid));
      assert.match(invalid.message, /not a key/);
      const metadata = { name: "x", namespace: NAMESPACE };
      const secret: Secret = { metadata, data: { password: "hunter2!not base64" } };
      const error = await caught(client.create(SECRETS, secret));
      assert.ok(error instanceof ApiError && error.status === 400);
      assert.doesNotMatch(`${error.message}${JSON.stringify(error)}`, /hunter2/);
    });
  });

  describe("server-side apply", () => {
    it("creates, changes, and removes what it no longer says", async () => {
      const apply = (data: Record<string, string>) => client.apply(CONFIG_MAPS, aConfigMap("applied", data));
      await apply({ a: "1", b: "2" });
      await client.mergePatch(CONFIG_MAPS, NAMESPACE, "applied", { data: { mine: "kept" } }, {});
      assert.deepEqual((await apply({ a: "1" })).data?.a, "1");
      const again = await apply({ a: "1" });
      assert.equal(again.data?.b, undefined);
    });

    it("without change makes no new version", async () => {
      const first = await client.apply(CONFIG_MAPS, aConfigMap("quiet", { a: "1" }));
      const second = await client.apply(CONFIG_MAPS, aConfigMap("quiet", { a: "1" }));
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    });

    it("is refused when it is meant for another object", async () => {
      const { metadata } = await client.apply(CONFIG_MAPS, aConfigMap("precise", { a: "1" }));
      const apply = (meta: Partial<ObjectMeta>) =>
        client.apply(CONFIG_MAPS, {
          metadata: { name: metadata.name, namespace: NAMESPACE, ...meta },
          data: { a: "2" },
        });
      const stranger = "11111111-2222-3333-4444-555555555555";
      assert.ok(isInvalid(await caught(apply({ uid: stranger }))));
      assert.ok(isConflict(await caught(apply({ resourceVersion: "1" }))));
      assert.ok(isConflict(await caught(apply({ name: "not-there", uid: stranger }))), "it is not made anew either");
    });

    it("is refused without force where somebody else has the field", async () => {
      await client.apply(CONFIG_MAPS, aConfigMap("shared", { a: "1" }));
      const other = { fieldManager: "other", force: false };
      assert.ok(isConflict(await caught(client.apply(CONFIG_MAPS, aConfigMap("shared", { a: "2" }), other))));
      const forced = await client.apply(CONFIG_MAPS, aConfigMap("shared", { a: "2" }), { ...other, force: true });
      assert.deepEqual(forced.data, { a: "2" });
    });
  });

  describe("the status", () => {
    interface Environment extends KubeObject {
      readonly spec: unknown;
      readonly status?: Readonly<Record<string, unknown>>;
    }
    const condition = (type: string) => ({
      type,
      status: "True",
      reason: "Because",
      message: "so",
      lastTransitionTime: "2030-01-01T00:00:00Z",
    });
    const anEnvironment = (name: string): Environment => ({
      metadata: { name, namespace: NAMESPACE },
      spec: {
        source: { inline: { "main.tf": "" } },
        components: [{ name: "network", terraform: { path: "." } }],
      },
    });
    const latest = (name: string): Promise<Stored<Environment>> => client.get(ENVIRONMENTS, NAMESPACE, name);
    before(() => installEnvironments(client));

    it("is written once and not again while it is true", async () => {
      const status = createStatusWriter(client);
      const made = await client.create(ENVIRONMENTS, anEnvironment("once"));
      const wanted = { observedGeneration: 1, summary: "1/1 ready", conditions: [condition("Ready")] };
      assert.equal(await status.write<Environment>(ENVIRONMENTS, made, wanted), true);
      const written = await latest("once");
      assert.deepEqual(written.status, wanted);
      assert.equal(await status.write<Environment>(ENVIRONMENTS, written, wanted), false);
      assert.equal((await latest("once")).metadata.resourceVersion, written.metadata.resourceVersion);
    });

    it("loses what is no longer said, and the order of conditions is nobody's business", async () => {
      const status = createStatusWriter(client);
      const made = await client.create(ENVIRONMENTS, anEnvironment("shrinks"));
      const [ready, stalled] = [condition("Ready"), condition("Stalled")];
      const first = { observedGeneration: 1, summary: "x", conditions: [stalled, ready] };
      await status.write<Environment>(ENVIRONMENTS, made, first);
      const turned = { ...first, conditions: [ready, stalled] };
      assert.equal(await status.write<Environment>(ENVIRONMENTS, await latest("shrinks"), turned), false);
      const less = { observedGeneration: 1, conditions: [ready] };
      await status.write<Environment>(ENVIRONMENTS, await latest("shrinks"), less);
      assert.deepEqual((await latest("shrinks")).status, less);
    });

    it("is not written to another object of the same name", async () => {
      const status = createStatusWriter(client);
      const first = await client.create(ENVIRONMENTS, anEnvironment("again"));
      await client.delete(ENVIRONMENTS, NAMESPACE, "again");
      assert.ok((await caught(status.write<Environment>(ENVIRONMENTS, first, { summary: "x" }))) instanceof ApiError);
      await client.create(ENVIRONMENTS, anEnvironment("again"));
      assert.ok(isConflict(await caught(status.write<Environment>(ENVIRONMENTS, first, { summary: "x" }))));
      assert.equal((await latest("again")).status?.summary, undefined);
    });

    it("is refused for a version that is no longer the latest, when asked to", async () => {
      const status = createStatusWriter(client);
      const first = await client.create(ENVIRONMENTS, anEnvironment("moved"));
      await client.mergePatch(ENVIRONMENTS, NAMESPACE, "moved", { metadata: { labels: { moved: "yes" } } });
      const write = (ifUnchanged: boolean) =>
        status.write<Environment>(ENVIRONMENTS, first, { summary: "x" }, { ifUnchanged });
      assert.ok(isConflict(await caught(write(true))));
      assert.equal(await write(false), true);
    });
  });

  it("events are told once and counted", async () => {
    const about = await client.create(CONFIG_MAPS, aConfigMap("eventful", {}));
    const problems: unknown[] = [];
    const recorder = createEventRecorder({
      writer: client,
      clock: systemClock,
      instance: "operator-0",
      onDropped: (reason, error) => problems.push(reason, error),
    });
    for (let i = 0; i < 5; i += 1) {
      recorder.record(referenceTo(CONFIG_MAPS, about), { type: "Warning", reason: "Planned", message: "five times" });
    }
    await recorder.flush();
    assert.deepEqual(problems, []);
    const { items } = await client.listAll<Event>(EVENTS, { namespace: NAMESPACE });
    assert.deepEqual(
      items.map(({ note, series, regarding }) => [note, series?.count, regarding?.name]),
      [["five times", 5, "eventful"]],
    );
  });

  it("tokens and rights are reviewed", async () => {
    const stranger = await client.reviewToken("nobody's", ["terrarium-gateway"]);
    assert.equal(stranger.authenticated, false);
    const question = { verb: "get", resource: PODS, namespace: NAMESPACE };
    const admin = await client.reviewAccess({ ...question, user: "root", groups: ["system:masters"] });
    assert.equal(admin.allowed, true);
    assert.equal((await client.reviewAccess({ ...question, user: "ann" })).allowed, false);
  });

  it("a server that is frozen is given up at the deadline, and used again when it is back", async () => {
    await server.freeze();
    try {
      const startedAt = performance.now();
      const error = await caught(client.listAll(CONFIG_MAPS, { namespace: NAMESPACE, deadlineMs: 500 }));
      assert.ok(error instanceof ApiUnreachable);
      assert.ok(performance.now() - startedAt < 1_500);
    } finally {
      server.thaw();
    }
    assert.ok(await client.listAll(CONFIG_MAPS, { namespace: NAMESPACE }));
  });
});
