import assert from "node:assert/strict";
import { createClient } from "../../../operator/cluster/client.ts";
import {
  ApiError,
  ApiUnreachable,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  isRightMissing,
  NotLeading,
} from "../../../operator/cluster/errors.ts";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import { CONFIG_MAPS, NODES, PODS, RUNS, SECRETS } from "../../../operator/cluster/resources.ts";
import type { RequestFacts } from "../../../operator/cluster/transport.ts";
import { type Exchange, type FakeApi, fakeApi, transportTo } from "./fake-api.ts";

const stored = (name: string) => ({
  metadata: {
    name,
    namespace: "shop",
    uid: `uid-${name}`,
    resourceVersion: "7",
    creationTimestamp: "2030-01-01T00:00:00Z",
  },
});

describe("the Kubernetes client", () => {
  let api: FakeApi | undefined;
  const serve = async (answer: (exchange: Exchange, count: number) => void): Promise<FakeApi> => {
    api = await fakeApi(answer);
    return api;
  };
  const clientOf = async (answer: (exchange: Exchange, count: number) => void) =>
    createClient(transportTo(await serve(answer)));
  afterEach(() => api?.close());

  describe("asks for what the verb means", () => {
    const seen = (): Exchange => {
      const last = api?.exchanges.at(-1);
      assert.ok(last);
      return last;
    };

    it("get is a quorum read of one object", async () => {
      const client = await clientOf((exchange) => exchange.reply(200, stored("web")));
      assert.equal((await client.get<Pod>(PODS, "shop", "web")).metadata.uid, "uid-web");
      assert.equal(seen().path, "/api/v1/namespaces/shop/pods/web");
      assert.equal(seen().query.size, 0);
    });

    it("a grouped resource has its group in the path, a cluster-scoped one no namespace", async () => {
      const client = await clientOf((exchange) => exchange.reply(200, stored("x")));
      await client.get(RUNS, "shop", "x");
      assert.equal(seen().path, "/apis/terrarium.dev/v1alpha1/namespaces/shop/runs/x");
      await client.get(NODES, undefined, "x");
      assert.equal(seen().path, "/api/v1/nodes/x");
    });

    it("a namespaced object without a namespace, or without a name, is a mistake of ours", async () => {
      const client = await clientOf((exchange) => exchange.reply(200, stored("x")));
      await assert.rejects(client.get(PODS, undefined, "x"), TypeError);
      await assert.rejects(client.get(PODS, "shop", ""), TypeError);
      await assert.rejects(client.get(PODS, "shop", ".."), TypeError);
      assert.equal(api?.exchanges.length, 0);
    });

    it("a name is data, not a path", async () => {
      const client = await clientOf((exchange) => exchange.refuse(404, "NotFound"));
      assert.equal(await client.find(PODS, "shop", "../secrets?x=y"), undefined);
      assert.equal(seen().path, "/api/v1/namespaces/shop/pods/..%2Fsecrets%3Fx%3Dy");
    });

    it("apply forces as our field manager, on the subresource that is named", async () => {
      const client = await clientOf((exchange) => exchange.reply(200, stored("x")));
      await client.apply(RUNS, { metadata: { name: "x", namespace: "shop" } }, { subresource: "status" });
      const { method, path, query, headers, body } = seen();
      assert.deepEqual([method, path], ["PATCH", "/apis/terrarium.dev/v1alpha1/namespaces/shop/runs/x/status"]);
      assert.equal(headers["content-type"], "application/apply-patch+yaml");
      assert.deepEqual(Object.fromEntries(query), { fieldManager: "terrarium", force: "true" });
      assert.deepEqual(JSON.parse(body), {
        apiVersion: "terrarium.dev/v1alpha1",
        kind: "Run",
        metadata: { name: "x", namespace: "shop" },
      });
    });

    it("both kinds of patch carry their own content type", async () => {
      const client = await clientOf((exchange) => exchange.reply(200, stored("x")));
      await client.mergePatch(PODS, "shop", "x", { metadata: { labels: { a: "b" } } });
      assert.equal(seen().headers["content-type"], "application/merge-patch+json");
      await client.jsonPatch(PODS, "shop", "x", [{ op: "remove", path: "/metadata/finalizers/0" }]);
      assert.equal(seen().headers["content-type"], "application/json-patch+json");
      assert.deepEqual(JSON.parse(seen().body), [{ op: "remove", path: "/metadata/finalizers/0" }]);
    });

    it("delete sends preconditions and propagation, and says whether there was something", async () => {
      const client = await clientOf((exchange, count) =>
        count === 1 ? exchange.reply(200, {}) : exchange.refuse(404, "NotFound"),
      );
      assert.equal(await client.delete(PODS, "shop", "x", { preconditions: { uid: "u" } }), true);
      assert.deepEqual(JSON.parse(seen().body), { preconditions: { uid: "u" }, propagationPolicy: "Background" });
      assert.equal(await client.delete(PODS, "shop", "x"), false);
    });

    it("listAll follows every page and says what kind the items are", async () => {
      const client = await clientOf(({ query, reply }) =>
        query.get("continue") === "second"
          ? reply(200, { metadata: { resourceVersion: "9" }, items: [stored("b")] })
          : reply(200, { metadata: { resourceVersion: "9", continue: "second" }, items: [stored("a")] }),
      );
      const { items, resourceVersion } = await client.listAll<Pod>(PODS, { namespace: "shop", labelSelector: "a=b" });
      assert.deepEqual(
        items.map((item) => [item.kind, item.metadata.name]),
        [
          ["Pod", "a"],
          ["Pod", "b"],
        ],
      );
      assert.equal(resourceVersion, "9");
      assert.deepEqual(Object.fromEntries(seen().query), { labelSelector: "a=b", limit: "500", continue: "second" });
    });

    it("reviews a token, and tells a stranger from a failure", async () => {
      const client = await clientOf((exchange, count) =>
        exchange.reply(201, {
          status:
            count === 1
              ? { authenticated: true, audiences: ["gate"], user: { username: "sa", uid: "1", extra: { pod: ["p"] } } }
              : { error: "expired" },
        }),
      );
      const good = await client.reviewToken("t", ["gate"]);
      assert.deepEqual([good.authenticated, good.username, good.extra.pod], [true, "sa", ["p"]]);
      const bad = await client.reviewToken("t", ["gate"]);
      assert.deepEqual([bad.authenticated, bad.username, bad.error], [false, "", "expired"]);
    });

    it("reviews access: a denial wins", async () => {
      const client = await clientOf((exchange) => exchange.reply(201, { status: { allowed: true, denied: true } }));
      const answer = await client.reviewAccess({ user: "ann", verb: "approve", resource: RUNS, namespace: "shop" });
      assert.equal(answer.allowed, false);
      assert.equal(JSON.parse(seen().body).spec.resourceAttributes.resource, "runs");
    });

    it("reviews access to exactly what is asked about, for that person with all groups", async () => {
      const client = await clientOf((exchange) => exchange.reply(201, { status: { allowed: true } }));
      const who = { user: "ann", groups: ["ops, all of them", "system:authenticated"] };
      const what = { verb: "update", subresource: "status", namespace: "shop", name: "shop-network-1" };
      assert.equal((await client.reviewAccess({ ...who, ...what, resource: RUNS })).allowed, true);
      const { group, version, plural: resource } = RUNS;
      assert.deepEqual(JSON.parse(seen().body).spec, {
        ...who,
        resourceAttributes: { ...what, group, version, resource },
      });
    });
  });

  describe("refusals are errors with facts", () => {
    const cases = [
      [403, "Forbidden", isForbidden],
      [404, "NotFound", isNotFound],
      [409, "Conflict", isConflict],
      [409, "AlreadyExists", isAlreadyExists],
      [410, "Expired", isGone],
      [422, "Invalid", isInvalid],
    ] as const;
    for (const [status, reason, predicate] of cases) {
      it(`${status} ${reason}`, async () => {
        const client = await clientOf((exchange) => exchange.refuse(status, reason));
        const error = await client.get(PODS, "shop", "x").catch((caught: unknown) => caught);
        assert.ok(error instanceof ApiError && predicate(error));
        assert.equal(cases.filter(([, , other]) => other(error)).length, 1, "exactly one predicate fits");
        assert.match(error.message, /get \/api\/v1\/namespaces\/shop\/pods\/x: \d+ \w+: refused/);
      });
    }

    it("what the server says about a refused Secret is withheld, as it quotes the value", async () => {
      const client = await clientOf(({ reply }) =>
        reply(400, { reason: "BadRequest", message: "error found near hunter2", details: { causes: ["hunter2"] } }),
      );
      const object = { metadata: { name: "x", namespace: "shop" } };
      const error = await client.create(SECRETS, object).catch((caught: unknown) => caught);
      assert.ok(error instanceof ApiError);
      assert.doesNotMatch(JSON.stringify({ ...error, text: error.message }), /hunter2/);
      const told = await client.create(CONFIG_MAPS, object).catch((caught: unknown) => String(caught));
      assert.match(String(told), /hunter2/);
    });

    it("a right that is missing is named for Secrets, too: that sentence quotes nothing", async () => {
      const sentence =
        'secrets is forbidden: User "op" cannot create resource "secrets" in API group "" in the namespace "x"';
      const client = await clientOf(({ reply }) =>
        reply(403, { reason: "Forbidden", message: `${sentence}: hunter2`, details: { name: "hunter2" } }),
      );
      const object = { metadata: { name: "x", namespace: "shop" } };
      const error = await client.create(SECRETS, object).catch((caught: unknown) => caught);
      assert.ok(isRightMissing(error));
      assert.match(error.message, /User "op" cannot create resource "secrets" in API group ""$/);
      assert.doesNotMatch(JSON.stringify({ ...error, text: error.message }), /hunter2/);
    });

    it("a proxy's page with a code of success is no answer", async () => {
      const client = await clientOf(({ response }) => response.end("<html>"));
      await assert.rejects(client.create(PODS, stored("x")), ApiUnreachable);
    });
  });

  describe("patience", () => {
    it("429 is waited for and asked again, also for a create", async () => {
      const client = await clientOf((exchange, count) =>
        count < 3 ? exchange.refuse(429, "TooManyRequests") : exchange.reply(201, stored("x")),
      );
      await client.create(PODS, stored("x"));
      assert.equal(api?.exchanges.length, 3);
    });

    it("Retry-After is honoured", async () => {
      const client = await clientOf((exchange, count) =>
        count < 2
          ? exchange.refuse(503, "ServiceUnavailable", { "retry-after": "1" })
          : exchange.reply(200, stored("x")),
      );
      const startedAt = performance.now();
      await client.get(PODS, "shop", "x");
      assert.ok(performance.now() - startedAt >= 990);
    });

    it("a Retry-After beyond the deadline is not waited for", async () => {
      const client = await clientOf((exchange) => exchange.refuse(503, "ServiceUnavailable", { "retry-after": "60" }));
      const startedAt = performance.now();
      const error = await client.get(PODS, "shop", "x").catch((caught: unknown) => caught);
      assert.ok(error instanceof ApiError);
      assert.equal(error.retryAfterMs, 60_000);
      assert.ok(performance.now() - startedAt < 2_000);
    });

    it("a create whose answer was lost is not repeated: nobody knows whether it was done", async () => {
      const client = await clientOf((exchange) => exchange.reset());
      await assert.rejects(client.create(PODS, stored("x")), ApiUnreachable);
      assert.equal(api?.exchanges.length, 1);
    });

    it("a 503 on a create is not repeated either", async () => {
      const client = await clientOf((exchange) => exchange.refuse(503, "ServiceUnavailable"));
      await assert.rejects(client.create(PODS, stored("x")), ApiError);
      assert.equal(api?.exchanges.length, 1);
    });

    it("a read whose answer was lost is repeated", async () => {
      const client = await clientOf((exchange, count) =>
        count < 2 ? exchange.reset() : exchange.reply(200, stored("x")),
      );
      await client.get(PODS, "shop", "x");
      assert.equal(api?.exchanges.length, 2);
    });

    it("credentials that were refused are read again, once", async () => {
      const client = await clientOf((exchange) =>
        exchange.headers.authorization === "Bearer fresh"
          ? exchange.reply(201, stored("x"))
          : exchange.refuse(401, "Unauthorized"),
      );
      await client.create(PODS, stored("x"));
      assert.equal(api?.exchanges.length, 2);
    });

    it("a server that does not answer is given up at the deadline", async () => {
      const client = await clientOf(() => {});
      const startedAt = performance.now();
      await assert.rejects(client.get(PODS, "shop", "x", { deadlineMs: 100 }), /no answer within 100 ms/);
      assert.ok(performance.now() - startedAt < 2_000);
    });

    it("a body that stops half way is given up at the deadline", async () => {
      const client = await clientOf(({ response }) => void response.writeHead(200).write('{"metadata":'));
      await assert.rejects(client.get(PODS, "shop", "x", { deadlineMs: 100 }), ApiUnreachable);
    });

    it("the caller's abort wins over everything, with the caller's reason", async () => {
      const abort = new AbortController();
      const client = await clientOf(() => abort.abort(new Error("enough")));
      await assert.rejects(client.get(PODS, "shop", "x", { signal: abort.signal }), /^Error: enough$/);
      await assert.rejects(client.get(PODS, "shop", "x", { signal: abort.signal }), /^Error: enough$/);
      assert.equal(api?.exchanges.length, 1);
    });
  });

  it("a process that may not write any more sends no write, and still reads", async () => {
    const transport = transportTo(await serve((exchange) => exchange.reply(200, stored("x"))));
    const client = createClient(transport, { mayWrite: () => false });
    await client.get(PODS, "shop", "x");
    const object = { metadata: { name: "x", namespace: "shop", resourceVersion: "1" } };
    await assert.rejects(client.create(PODS, object), NotLeading);
    await assert.rejects(client.apply(PODS, object), NotLeading);
    await assert.rejects(client.replace(PODS, object), NotLeading);
    await assert.rejects(client.mergePatch(PODS, "shop", "x", {}), NotLeading);
    await assert.rejects(client.jsonPatch(PODS, "shop", "x", []), NotLeading);
    await assert.rejects(client.delete(PODS, "shop", "x"), NotLeading);
    assert.equal(api?.exchanges.length, 1);
  });

  it("leadership that is lost between two attempts stops the second", async () => {
    let leading = true;
    const transport = transportTo(
      await serve((exchange) => {
        leading = false;
        exchange.refuse(429, "TooManyRequests");
      }),
    );
    await assert.rejects(createClient(transport, { mayWrite: () => leading }).create(PODS, stored("x")), NotLeading);
    assert.equal(api?.exchanges.length, 1);
  });

  it("counts every request with its verb, resource and code", async () => {
    const facts: RequestFacts[] = [];
    const fake = await serve((exchange, count) => (count === 1 ? exchange.reset() : exchange.refuse(404, "NotFound")));
    const client = createClient(transportTo(fake, { onRequest: (fact) => facts.push(fact) }));
    await client.find(PODS, "shop", "x");
    assert.deepEqual(
      facts.map(({ verb, resource, code }) => [verb, resource, code]),
      [
        ["get", "pods", 0],
        ["get", "pods", 404],
      ],
    );
  });
});
