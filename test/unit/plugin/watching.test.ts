import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { ApiError } from "../../../operator/cluster/errors.ts";
import { ENVIRONMENTS } from "../../../operator/cluster/resources.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { shop } from "./shop.ts";

const tick = () => new Promise((resolve) => setImmediate(resolve));

/** `status shop --watch`, which has shown its first picture. */
async function watching({
  args = [],
  redraws = false,
}: {
  readonly args?: readonly string[];
  readonly redraws?: boolean;
} = {}) {
  const { call, client, ...world } = pluginWorld({ environments: [shop()], minutes: 20, redraws });
  const told = call("status", "shop", "--watch", ...args);
  /** Every look at the object is followed by a list of its Runs, and that by the picture. */
  const shown = async (pictures: number) => {
    const looks = () => client.calls.join(",").split("get environments shop,list runs").length - 1;
    while (looks() < pictures) await tick();
    for (let ticks = 0; ticks < 5; ticks += 1) await tick();
  };
  await shown(1);
  return { ...world, client, told, shown };
}

describe("kubectl terrarium status --watch", () => {
  it("watches until it is ended", async () => {
    const { stop, told } = await watching();
    stop();
    const { code, out } = await told;
    assert.equal(code, EXIT.interrupted);
    assert.match(out, /shop in team: Ready/);
  });

  it("ends well when nobody reads any more", async () => {
    const { leave, told } = await watching();
    leave();
    assert.equal((await told).code, EXIT.done);
  });

  it("prints one document of YAML for each change, with --- between them", async () => {
    const { stop, told, client, shown } = await watching({ args: ["-o", "yaml"] });
    client.seed(ENVIRONMENTS, shop({}, { suspend: true }));
    await shown(2);
    stop();
    const documents = parseAllDocuments((await told).out);
    const suspended = documents.map((one) => (one.toJS() as { readonly suspended: boolean }).suspended);
    assert.deepEqual(suspended, [false, true]);
  });

  it("on a screen shows the same again as it grows older, without asking the API server", async () => {
    const { client, told, shown, stop, pass } = await watching({ redraws: true });
    const looks = client.calls.length;
    pass(60_000);
    await shown(1);
    assert.equal(client.calls.length, looks);
    stop();
    const { out } = await told;
    assert.match(out, /20m old/);
    assert.match(out, /21m old/);
  });

  it("says since when the API server does not answer, on a screen and elsewhere, and goes on when it does", async () => {
    for (const redraws of [true, false]) {
      const { client, told, shown, stop, silence } = await watching({ redraws });
      silence(true);
      await shown(1);
      silence(false);
      client.seed(ENVIRONMENTS, shop({}, { suspend: true }));
      await shown(2);
      stop();
      const { out, err } = await told;
      const warning = /has not answered since 2026-01-01T00:20:00\.000Z/;
      assert.match(redraws ? out : err, warning);
      assert.doesNotMatch(redraws ? err : out, warning);
      const last = out.slice(out.lastIndexOf("shop in team"));
      assert.match(last, /suspended/);
      assert.doesNotMatch(last, warning);
    }
  });

  it("shows a change that could not be read at first, as soon as it can, and says so meanwhile", async () => {
    for (const redraws of [true, false]) {
      const { client, told, shown, stop, pass } = await watching({ redraws });
      client.faults.before = (verb, resource) => {
        if (verb === "get" && resource === ENVIRONMENTS.plural)
          throw new ApiError({ request: "get", status: 503, reason: "ServiceUnavailable", message: "busy" });
      };
      client.seed(ENVIRONMENTS, shop({}, { suspend: true }));
      await shown(1);
      client.faults = {};
      pass(5_000);
      await shown(2);
      stop();
      const { out, err } = await told;
      assert.match(redraws ? out : err, /has not answered since/);
      assert.match(out.slice(out.lastIndexOf("shop in team")), /suspended/);
    }
  });

  it("ends where the API server does not know who asks any more", async () => {
    const { client, told, silence } = await watching();
    silence(true);
    for (let ticks = 0; ticks < 5; ticks += 1) await tick();
    silence(false);
    client.faults.before = (verb) => {
      if (verb !== "list") return;
      throw new ApiError({ request: "list", status: 401, reason: "Unauthorized", message: "Unauthorized" });
    };
    const { code, err } = await told;
    assert.equal(code, EXIT.forbidden, err);
    assert.match(err, /log in again/);
  });
});
