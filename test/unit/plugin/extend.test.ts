import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { ENVIRONMENTS } from "../../../operator/cluster/resources.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { aLifetime } from "../../fakes/objects.ts";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { at, shop } from "./shop.ts";

const DAY = 24 * 60;

/** Twenty minutes old, with an hour to live unless told otherwise. */
function world(extendUntil?: string, lifetime = aLifetime({ ttl: "1h" })) {
  const environment = shop({}, { lifetime });
  const annotations = extendUntil === undefined ? {} : { [ANNOTATIONS.extendUntil]: extendUntil };
  const environments = [{ ...environment, metadata: { ...environment.metadata, annotations } }];
  const { call, client } = pluginWorld({ environments, minutes: 20 });
  return {
    call,
    client,
    written: () => client.objects(ENVIRONMENTS)[0]?.metadata.annotations?.[ANNOTATIONS.extendUntil],
    patches: () => client.calls.filter((one) => one.startsWith("patch")),
  };
}

describe("kubectl terrarium extend", () => {
  const extensions: readonly (readonly [args: readonly string[], until: string | undefined])[] = [
    [["--for", "2h"], at(20 + 120)],
    [["--for", "7d"], at(20 + 7 * DAY)],
    [["--for", "1h30m"], at(20 + 90)],
    [["--for", "99999999999d"], undefined],
    [["--until", "2026-12-24T18:00:00+01:00"], "2026-12-24T17:00:00.000Z"],
    [["--until", "2026-12-24"], "2026-12-24T00:00:00.000Z"],
    [["--until", "tomorrow"], undefined],
    [["--until", "48"], undefined],
    [["--until", "12h"], undefined],
    [["--until", "1.5.2027"], undefined],
    [["--until", "2026-12-24T18:00:00"], undefined],
    [["--until", "2026-02-30"], undefined],
    [["--until", "2020-01-01T00:00:00Z"], undefined],
    [["--for", "2 hours"], undefined],
    [["--for", "0h"], undefined],
    [["--for", "2h", "--until", "2026-12-24T18:00:00Z"], undefined],
    [[], undefined],
  ];
  for (const [args, until] of extensions) {
    it(`${args.join(" ")} ${until === undefined ? "is not understood" : `lets it live until ${until}`}`, async () => {
      const { call, written } = world();
      const { code, out } = await call("extend", "shop", ...args);
      assert.equal(code, until === undefined ? EXIT.usage : EXIT.done);
      assert.equal(written(), until);
      if (until !== undefined) assert.equal(out, `shop lives until ${until}.`);
    });
  }

  it("promises nothing to an environment that is being deleted", async () => {
    const { metadata, ...environment } = shop({}, { lifetime: aLifetime({ ttl: "1h" }) });
    const deleted = { ...environment, metadata: { ...metadata, deletionTimestamp: at(10), finalizers: ["x/y"] } };
    const { call, client } = pluginWorld({ environments: [deleted], minutes: 20 });
    const { code, out, err } = await call("extend", "shop", "--for", "12h");
    assert.deepEqual([code, out], [EXIT.waiting, ""]);
    assert.match(err, /^shop is being deleted/);
    assert.equal(
      client.calls.some((one) => one.startsWith("patch")),
      false,
    );
  });

  it("says so of an environment that does not end", async () => {
    const { call, client } = pluginWorld({ environments: [shop()], minutes: 20 });
    const { code, err } = await call("extend", "shop", "--for", "2h");
    assert.equal(code, EXIT.waiting);
    assert.match(err, /^shop has no lifetime/);
    assert.equal(
      client.calls.some((one) => one.startsWith("patch")),
      false,
    );
  });

  const longer: readonly (readonly [what: string, until: string | undefined, lifetime: string, ends: string])[] = [
    ["somebody else gave", at(9 * DAY), "1h", at(9 * DAY)],
    ["somebody else gave in another time zone", "2025-12-31T18:21:00-08:00", "1h", at(2 * 60 + 21)],
    ["is declared", undefined, "240h", at(10 * DAY)],
    ["is declared, where somebody else gave less", at(60), "240h", at(10 * DAY)],
    ["is there to the minute", at(20 + 120), "1h", at(20 + 120)],
  ];
  for (const [what, until, ttl, ends] of longer) {
    it(`takes nothing back of the life that ${what}`, async () => {
      const { call, written, patches } = world(until, aLifetime({ ttl }));
      const { code, out } = await call("extend", "shop", "--for", "2h");
      assert.deepEqual([code, out], [EXIT.done, `shop lives until ${ends} already.`]);
      assert.deepEqual([written(), patches()], [until, []]);
    });
  }

  it("brings back what has come to its end, and puts another time in the place of an earlier one or of none", async () => {
    for (const said of ["soon", at(5), "2026-01-01T08:00:00+08:00"]) {
      const { call, written } = world(said, aLifetime({ ttl: "10m" }));
      const { out } = await call("extend", "shop", "--for", "2h");
      assert.deepEqual([out, written()], [`shop lives until ${at(20 + 120)}.`, at(20 + 120)]);
    }
  });

  /** Before so many of its writes somebody else has written. */
  function interrupted(times: number, annotations: Readonly<Record<string, string>>) {
    const { client, ...rest } = world();
    let left = times;
    client.faults.before = (verb) => {
      if (verb !== "patch" || left === 0) return;
      left -= 1;
      const [now] = client.objects(ENVIRONMENTS);
      assert.ok(now);
      client.seed(ENVIRONMENTS, { ...now, metadata: { ...now.metadata, annotations } });
    };
    return rest;
  }

  it("does not overwrite what somebody gives in that very moment", async () => {
    const { call, written } = interrupted(1, { [ANNOTATIONS.extendUntil]: at(9 * DAY) });
    const { code, out } = await call("extend", "shop", "--for", "2h");
    assert.deepEqual([code, out, written()], [EXIT.done, `shop lives until ${at(9 * DAY)} already.`, at(9 * DAY)]);
  });

  it("tries again after another's write, five times", async () => {
    const once = interrupted(1, {});
    const { out } = await once.call("extend", "shop", "--for", "2h");
    assert.deepEqual([out, once.written()], [`shop lives until ${at(20 + 120)}.`, at(20 + 120)]);
    const endless = interrupted(Number.POSITIVE_INFINITY, {});
    const { code, err } = await endless.call("extend", "shop", "--for", "2h");
    assert.equal(code, EXIT.error);
    assert.match(err, /^Somebody else changed it at the same time: try again/);
  });
});
