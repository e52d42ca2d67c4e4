import assert from "node:assert/strict";
import { ApiError, ApiUnreachable } from "../../../operator/cluster/errors.ts";
import { PODS } from "../../../operator/cluster/resources.ts";
import { servedClients, stored } from "./served-client.ts";

describe("the Kubernetes client's patience", () => {
  const { clientOf, exchanges } = servedClients();

  it("429 is waited for and asked again, also for a create", async () => {
    const client = await clientOf((exchange, count) =>
      count < 3 ? exchange.refuse(429, "TooManyRequests") : exchange.reply(201, stored("x")),
    );
    await client.create(PODS, stored("x"));
    assert.equal(exchanges().length, 3);
  });

  it("Retry-After is honoured", async () => {
    const client = await clientOf((exchange, count) =>
      count < 2 ? exchange.refuse(503, "ServiceUnavailable", { "retry-after": "1" }) : exchange.reply(200, stored("x")),
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
    assert.equal(exchanges().length, 1);
  });

  it("a 503 on a create is not repeated either", async () => {
    const client = await clientOf((exchange) => exchange.refuse(503, "ServiceUnavailable"));
    await assert.rejects(client.create(PODS, stored("x")), ApiError);
    assert.equal(exchanges().length, 1);
  });

  it("a read whose answer was lost is repeated", async () => {
    const client = await clientOf((exchange, count) =>
      count < 2 ? exchange.reset() : exchange.reply(200, stored("x")),
    );
    await client.get(PODS, "shop", "x");
    assert.equal(exchanges().length, 2);
  });

  it("credentials that were refused are read again, once", async () => {
    const client = await clientOf((exchange) =>
      exchange.headers.authorization === "Bearer fresh"
        ? exchange.reply(201, stored("x"))
        : exchange.refuse(401, "Unauthorized"),
    );
    await client.create(PODS, stored("x"));
    assert.equal(exchanges().length, 2);
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
    assert.equal(exchanges().length, 1);
  });
});
