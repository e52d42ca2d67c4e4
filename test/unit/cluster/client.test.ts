import assert from "node:assert/strict";
import { createClient } from "../../../operator/cluster/client.ts";
import { NotLeading } from "../../../operator/cluster/errors.ts";
import type { Pod } from "../../../operator/cluster/kinds.ts";
import { NODES, PODS, RUNS } from "../../../operator/cluster/resources.ts";
import type { RequestFacts } from "../../../operator/cluster/transport.ts";
import { type Exchange, transportTo } from "./fake-api.ts";
import { servedClients, stored } from "./served-client.ts";

describe("the Kubernetes client", () => {
  const { serve, clientOf, exchanges } = servedClients();

  describe("asks for what the verb means", () => {
    const seen = (): Exchange => {
      const last = exchanges().at(-1);
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
      assert.equal(exchanges().length, 0);
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
    assert.equal(exchanges().length, 1);
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
    assert.equal(exchanges().length, 1);
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
