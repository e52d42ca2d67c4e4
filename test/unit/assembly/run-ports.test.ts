import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import type { Run } from "../../../operator/api/run.ts";
import {
  BY,
  type CachedApproval,
  type CachedEnvironment,
  type CachedRun,
  RUN_INDEXES,
} from "../../../operator/assembly/caches.ts";
import { runPorts } from "../../../operator/assembly/run-ports.ts";
import { ApiError } from "../../../operator/cluster/errors.ts";
import type { Node, Pod } from "../../../operator/cluster/kinds.ts";
import type { Client, KubeObject } from "../../../operator/cluster/ports.ts";
import { PODS, RUNS } from "../../../operator/cluster/resources.ts";
import { createKeyRing, newKeyMaterial } from "../../../operator/storage/key-ring.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aComponent, anEnvironment, aRecord, aRun } from "../../fakes/objects.ts";
import { createWorldApi } from "../../fakes/world-api.ts";
import { laggingCache, laggingRecords } from "../../fakes/world-caches.ts";
import { worldClock } from "../../fakes/world-clock.ts";
import { runSpec } from "../run/observations.ts";

const signal = new AbortController().signal;

/** The real ports on an API server of which the caches know these Runs, and nothing else yet. */
function aPlace(...known: readonly Run[]) {
  const clock = worldClock();
  const api = createWorldApi(clock);
  const runs = known.map((run) => api.create(RUNS, run as unknown as KubeObject) as unknown as Run);
  const client = fakeKubeClient();
  const told: string[] = [];
  const store = memoryStore();
  const caches = {
    environments: laggingCache<CachedEnvironment>(api, "environments"),
    runs: laggingCache<CachedRun>(api, "runs", RUN_INDEXES),
    approvals: laggingCache<CachedApproval>(api, "approvals", { [BY.run]: () => [] }),
    pods: laggingCache<Pod>(api, "pods", { [BY.environmentUid]: () => [] }),
    nodes: laggingCache<Node>(api, "nodes"),
    records: laggingRecords({ versions: [[]] }),
    all: [],
  };
  const ports = runPorts({
    client: client as unknown as Client,
    clock,
    caches,
    store,
    ring: createKeyRing(newKeyMaterial()),
    events: { record: (_about: unknown, { message }: { message: string }) => told.push(message) } as never,
    pod: { gatewayUrl: "https://gateway.test", gatewayCa: () => "PEM" },
    standingOf: () => ({ type: "stands" }),
    maxRuns: 2,
    maxChecks: 1,
    onClosed: () => {},
  });
  return { client, ports, store, told, runs };
}

const run: Run = aRun(runSpec());
const refusal = (status: number, reason: string) =>
  new ApiError({ request: "create", status, reason, message: reason });
const podsIn = (client: ReturnType<typeof fakeKubeClient>) => client.objects(PODS);

describe("What the store has of the result of a Run", () => {
  it("is that Run's own, and none while its engine may be at work", async () => {
    const { ports, store } = aPlace();
    const { namespace, uid } = run.metadata;
    const key = { namespace, environment: run.spec.environment.name, component: run.spec.component };
    assert.equal(await ports.hasReported(run, signal), false);
    for (const [runUid, result, isThere] of [
      [uid, "Applied", true],
      [uid, "Failed", true],
      [uid, "Interrupted", false],
      ["another", "Applied", false],
    ] as const) {
      const outcome = { result, reason: result, message: "" };
      store.seed({ ...aRecord(key.component), key, lastResult: { runUid, podUid: "p", at: "", outcome } });
      assert.equal(await ports.hasReported(run, signal), isThere, `${runUid} ${result}`);
    }
  });
});

describe("Making a Run's pod", () => {
  it("makes one, with the proof that the operator made it", async () => {
    const { client, ports } = aPlace();
    const made = await ports.makePod(run, "Plan", signal);
    assert.equal(made.type, "made");
    assert.ok(podsIn(client)[0]?.metadata.annotations?.[ANNOTATIONS.order] !== undefined);
  });

  it("adopts the one that it made before, when the answer to that was lost", async () => {
    const { client, ports } = aPlace();
    client.faults.after = (verb) => {
      if (verb === "create") throw refusal(504, "Timeout");
    };
    await assert.rejects(ports.makePod(run, "Plan", signal));
    client.faults = {};
    const made = await ports.makePod(run, "Plan", signal);
    assert.equal(made.type === "made" && made.pod.metadata.uid, podsIn(client)[0]?.metadata.uid);
    assert.equal(podsIn(client).length, 1);
  });

  it("keeps no place where the pod cannot be made: nobody else waits for a webhook that is down", async () => {
    const { client, ports, runs } = aPlace(run, aRun(runSpec({ component: "database" })));
    const [one = assert.fail(), next = assert.fail()] = runs;
    client.faults.before = (verb) => {
      if (verb === "create") throw refusal(500, "InternalError");
    };
    const asked = ports.makePod(one, "Plan", signal);
    assert.equal(ports.freePlaces(next), 1, "as long as it is not answered");
    await assert.rejects(asked);
    assert.equal(ports.freePlaces(next), 2);
  });

  it("does not take somebody else's pod of that name for its own", async () => {
    const { client, ports } = aPlace();
    const made = await ports.makePod(run, "Plan", signal);
    const real = made.type === "made" ? made.pod : undefined;
    assert.ok(real !== undefined);
    for (const foreign of [
      { metadata: { ...real.metadata, annotations: {} } },
      { metadata: { ...real.metadata, annotations: { [ANNOTATIONS.order]: "made up" } } },
      { metadata: { ...real.metadata, ownerReferences: [] } },
    ]) {
      client.seed(PODS, { ...real, ...foreign });
      assert.deepEqual(await ports.makePod(run, "Plan", signal), { type: "foreign", name: real.metadata.name });
    }
  });

  it("does not adopt the pod of an earlier Run of the same name", async () => {
    const { ports } = aPlace();
    await ports.makePod(run, "Plan", signal);
    const other = { ...run, metadata: { ...run.metadata, uid: "another" } };
    assert.equal((await ports.makePod(other, "Plan", signal)).type, "foreign");
  });

  for (const [status, reason] of [
    [403, "Forbidden"],
    [422, "Invalid"],
    [404, "NotFound"],
  ] as const) {
    it(`quotes Kubernetes when it refuses the pod (${status})`, async () => {
      const { client, ports } = aPlace();
      client.faults.before = (verb) => {
        if (verb === "create") throw refusal(status, reason);
      };
      const made = await ports.makePod(run, "Plan", signal);
      assert.equal(made.type, "rejected");
      assert.match(made.type === "rejected" ? made.message : "", new RegExp(reason));
    });
  }

  it("spends no Run, and says so, when the operator's own role lacks the verb", async () => {
    const { client, ports } = aPlace();
    client.faults.before = (verb) => {
      const message =
        'pods "p" is forbidden: User "operator" cannot create resource "pods" in API group "" in the namespace "team"';
      if (verb === "create") throw new ApiError({ request: "create pods", status: 403, reason: "Forbidden", message });
    };
    const made = await ports.makePod(run, "Plan", signal);
    assert.equal(made.type, "rightMissing");
    assert.match(made.type === "rightMissing" ? made.message : "", /cannot create resource "pods"/);
  });

  describe("while a webhook is away that has to be asked", () => {
    const message = 'Internal error occurred: failed calling webhook "pods.example.com": connection refused';
    const error = new ApiError({ request: "create pods", status: 500, reason: "InternalError", message });
    const away = (client: ReturnType<typeof fakeKubeClient>) => {
      client.faults.before = (verb) => {
        if (verb === "create") throw error;
      };
    };

    it("spends no Run, and names it", async () => {
      const { client, ports } = aPlace();
      away(client);
      assert.deepEqual(await ports.makePod(run, "Plan", signal), {
        type: "hindered",
        webhook: "pods.example.com",
        error,
      });
    });

    it("adopts the pod that was made before, when the answer to that was lost", async () => {
      const { client, ports } = aPlace();
      await ports.makePod(run, "Plan", signal);
      away(client);
      assert.equal((await ports.makePod(run, "Plan", signal)).type, "made");
    });
  });

  it("spends no Run on an API server that has just begun: the next round asks again", async () => {
    const { client, ports } = aPlace();
    const message = 'pods "p" is forbidden: not yet ready to handle request';
    client.faults.before = (verb) => {
      if (verb === "create") throw new ApiError({ request: "create pods", status: 403, reason: "Forbidden", message });
    };
    await assert.rejects(ports.makePod(run, "Plan", signal), /not yet ready/);
  });

  it("fails the round when nobody knows whether it was made", async () => {
    const { client, ports } = aPlace();
    client.faults.before = (verb) => {
      if (verb === "create") throw refusal(503, "ServiceUnavailable");
    };
    await assert.rejects(ports.makePod(run, "Plan", signal), /ServiceUnavailable/);
  });
});

describe("Noting why a Run goes on outside of the windows", () => {
  const environment = anEnvironment([aComponent("network")]);
  const reason = "the shop is down";

  it("keeps the reason on the Run, and tells it", async () => {
    const { client, ports, told } = aPlace();
    await ports.noteOverride(client.seed(RUNS, run as Run & KubeObject), environment, reason, signal);
    assert.equal(client.objects(RUNS)[0]?.metadata.annotations?.[ANNOTATIONS.outsideWindows], reason);
    assert.deepEqual(told, [`network: Run 4 goes on outside of the windows: ${reason}`]);
  });

  it("tells nothing twice to a cache that has not seen the note yet", async () => {
    const { client, ports, told } = aPlace();
    const seen = client.seed(RUNS, run as Run & KubeObject);
    await ports.noteOverride(seen, environment, reason, signal);
    await ports.noteOverride(seen, environment, reason, signal);
    assert.equal(told.length, 1);
  });
});

describe("Writing a Run's status", () => {
  const conflicts = () => {
    const { client, ports } = aPlace();
    const seen = client.seed(RUNS, run as Run & KubeObject);
    client.faults.before = (verb) => {
      if (verb === "apply") throw refusal(409, "Conflict");
    };
    const write = () => ports.writeStatus(seen, { observedGeneration: 1, phase: "Starting" }, signal);
    return { client, seen, write };
  };

  it("leaves it to the next round when the Run has changed: that is on its way to the cache", async () => {
    const { client, seen, write } = conflicts();
    client.seed(RUNS, { ...seen, status: { observedGeneration: 1, phase: "Planning" } });
    assert.equal(await write(), false);
  });

  it("fails the round when it is told of a conflict and nothing has changed: no news would bring another", async () => {
    await assert.rejects(conflicts().write(), /Conflict/);
  });
});
