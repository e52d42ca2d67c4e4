import assert from "node:assert/strict";
import { ApiError } from "../../../operator/cluster/errors.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { shop } from "./shop.ts";

const world = () => pluginWorld({ environments: [shop()] });

describe("kubectl terrarium where something is not there", () => {
  // A group that nobody has registered is answered in plain text; client-go has a sentence of its own for a kind that is missing in one.
  for (const message of ["404 page not found\n", "the server could not find the requested resource"]) {
    it(`of a cluster that answers "${message.trim()}" says that it does not know Terrarium's kinds`, async () => {
      for (const args of [
        ["status"],
        ["status", "shop"],
        ["approve", "shop", "--yes"],
        ["logs", "shop"],
        ["unlock", "r"],
      ]) {
        const { call, client } = world();
        client.faults.before = () => {
          throw new ApiError({ request: "list x", status: 404, reason: "Unknown", message });
        };
        const { code, err } = await call(...args);
        assert.equal(code, EXIT.notFound, args.join(" "));
        assert.match(err, /^This cluster does not know Terrarium's kinds/, args.join(" "));
      }
    });
  }

  it("tells whoever may not list that an object is not there, all the same", async () => {
    for (const [args, says] of [
      [["status", "shpo"], /^There is no Environment "shpo"/],
      [["unlock", "r"], /^There is no Run "r"/],
    ] as const) {
      const { call, client } = world();
      client.faults.before = (verb) => {
        if (verb === "list") throw new ApiError({ request: "list x", status: 403, reason: "Forbidden", message: "" });
      };
      assert.match((await call(...args)).err, says);
    }
  });
});
