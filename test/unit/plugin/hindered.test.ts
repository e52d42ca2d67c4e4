import assert from "node:assert/strict";
import type { Environment, EnvironmentSpec } from "../../../operator/api/environment.ts";
import { DEPLOYMENTS, LEASES } from "../../../operator/cluster/resources.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { aLifetime } from "../../fakes/objects.ts";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { at, held, shop } from "./shop.ts";

/** 00:20 on the first of January. */
const world = (environment: Environment = shop()) => pluginWorld({ environments: [environment], minutes: 20 });

const nights = [{ name: "nights", schedule: "0 22 * * *", duration: "4h", timeZone: "UTC", type: "Allow" }] as const;
const mornings = [{ ...nights[0], name: "mornings", schedule: "0 6 * * *" }];

describe("kubectl terrarium run, where nothing begins now", () => {
  const cases: readonly (readonly [what: string, spec: Partial<EnvironmentSpec>, says: RegExp])[] = [
    [
      "says when the next window opens, and how to go ahead in an emergency",
      { windows: mornings },
      /^Nothing starts yet: no window is open: the next one opens at 2026-01-01T06:00:00Z\. In an emergency: kubectl terrarium run shop --override-windows REASON -n team$/,
    ],
    [
      "says that the lifetime is over, and how to put its end off",
      { lifetime: aLifetime({ ttl: "10m" }) },
      /^shop has come to its end: nothing is applied before: kubectl terrarium extend shop --for 24h -n team$/,
    ],
    [
      "says which schedule cannot be used",
      { windows: [{ ...nights[0], schedule: "every night" }] },
      /^Nothing starts: spec\.windows\[nights\]/,
    ],
    ["says that it is suspended", { suspend: true }, /^shop is suspended: .*kubectl terrarium resume shop -n team$/],
  ];
  for (const [what, spec, says] of cases)
    it(what, async () => {
      const { code, out, err } = await world(shop({}, spec)).call("run", "shop");
      assert.equal(code, EXIT.done);
      assert.equal(out, "Asked for a Run of every component of shop.");
      assert.match(err, says);
    });

  it("has nothing to say while a window is open, or where it is overridden", async () => {
    const open = [{ ...nights[0], schedule: "0 0 * * *" }];
    assert.equal((await world(shop({}, { windows: open })).call("run", "shop")).err, "");
    const overridden = await world(shop({}, { windows: mornings })).call("run", "shop", "--override-windows", "down");
    assert.equal(overridden.err, "");
  });
});

describe("kubectl terrarium approve of a suspended environment", () => {
  const call = (verb: string) => {
    const options = { environments: [shop({}, { suspend: true })], runs: [held("database", 4, "a")], minutes: 20 };
    return pluginWorld(options).call(verb, "shop", "--yes");
  };

  it("signs, and says that nothing is applied before it is resumed", async () => {
    const { code, out, err } = await call("approve");
    assert.equal(code, EXIT.done);
    assert.match(out, /^Approved: shop-database-4/m);
    assert.match(err, /shop is suspended: nothing is applied before: kubectl terrarium resume shop -n team/);
  });

  it("does not tell who rejects", async () => {
    assert.equal((await call("reject")).err, "");
  });
});

describe("a component that does not exist", () => {
  for (const command of ["cancel", "logs"])
    it(`is not taken by ${command} for one where nothing happens`, async () => {
      const { code, err } = await world().call(command, "shop", "-c", "databse");
      assert.equal(code, EXIT.notFound);
      assert.match(err, /shop has no component "databse": there are .*database/);
    });

  it("is told apart by cancel from one that does nothing just now", async () => {
    const { code, err } = await world().call("cancel", "shop", "-c", "database");
    assert.equal(code, EXIT.waiting);
    assert.match(err, /No Run of shop\/database is under way/);
  });
});

describe("the doctor's look at the leader", () => {
  const where = { namespace: "terrarium-system" } as const;
  const labels = { "app.kubernetes.io/name": "terrarium", "app.kubernetes.io/component": "operator" };
  const deployment = {
    metadata: { name: "terrarium-operator", ...where, labels },
    spec: { replicas: 1 },
    status: { readyReplicas: 1 },
  };
  const renewed = (minute: number) => ({
    metadata: { name: "terrarium-operator", ...where },
    spec: { renewTime: at(minute) },
  });

  /** The lease was renewed five minutes ago, by the caller's clock; while the doctor waits, this happens. */
  async function looked(meanwhile: (renew: () => void) => void) {
    const { call, client } = world();
    client.seed(DEPLOYMENTS, deployment);
    client.seed(LEASES, renewed(15));
    let looks = 0;
    client.faults.after = (_, resource) => {
      if (resource !== LEASES.plural) return;
      looks += 1;
      if (looks === 1) meanwhile(() => client.seed(LEASES, renewed(15.1)));
    };
    return { ...(await call("doctor", "shop")), looks: () => looks };
  }

  it("goes by what it sees, and not by a clock that may not be that of the cluster", async () => {
    const { code, out } = await looked((renew) => renew());
    assert.equal(code, EXIT.done, out);
    assert.match(out, /✔ 1 of 1 replicas are ready/);
  });

  it("finds that nobody leads where nobody renews the lease under its eyes", async () => {
    const { code, out, looks } = await looked(() => {});
    assert.equal(code, EXIT.waiting);
    assert.match(out, /✖ Nobody leads: the lease was renewed 300s ago/);
    assert.equal(looks(), 2);
  });
});
