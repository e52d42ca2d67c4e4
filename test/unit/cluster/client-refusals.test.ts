import assert from "node:assert/strict";
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
} from "../../../operator/cluster/errors.ts";
import { CONFIG_MAPS, PODS, SECRETS } from "../../../operator/cluster/resources.ts";
import { servedClients, stored } from "./served-client.ts";

describe("the Kubernetes client's refusals are errors with facts", () => {
  const { clientOf } = servedClients();

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
