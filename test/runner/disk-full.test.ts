/** A node whose disk is full, as a pod sees it: nothing is lost, and the failure says what to do. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineNames } from "../../operator/engine/names.ts";
import { parseState } from "../../operator/engine/state.ts";
import { GatewayClient } from "../../runner/agent/gateway-client.ts";
import { Spool } from "../../runner/agent/spool.ts";
import { type Settled, StateRelay } from "../../runner/agent/state-relay.ts";
import { aWorkOrder, type FakeGateway, startGateway } from "../fakes/gateway.ts";
import { FILLING, fillDisk, mountDisks } from "./disks.ts";
import { type DiskName, logged, type RunnerPod, type RunnerPodOptions, startRunnerPod } from "./pod.ts";

const oneResource = { source: { inline: { "main.tf": 'resource "terraform_data" "a" { input = "kept" }' } } };
const disks = { spool: 1024 * 1024, out: 4 * 1024 * 1024 };

describe("a pod whose disk is full", function () {
  this.timeout(90_000);
  const pods: RunnerPod[] = [];
  afterEach(async () => {
    for (const pod of pods.splice(0)) await pod.remove();
  });

  interface Fault {
    /** The request at which the disks fill up, as `POST /v1/plan`; with a number: at which one of its kind. */
    readonly at: string;
    readonly nth?: number;
    readonly full: readonly DiskName[];
    /** No room for another empty file either. */
    readonly utterly?: boolean;
    readonly refuse?: NonNullable<RunnerPod["gateway"]["memory"]["refuse"]>;
  }

  async function start(
    options: RunnerPodOptions,
    { at, nth = 1, full, refuse, utterly = false }: Fault,
  ): Promise<RunnerPod> {
    const pod = await startRunnerPod({ ...options, disks });
    pods.push(pod);
    let seen = 0;
    pod.gateway.memory.refuse = (request) => {
      if (request === at && ++seen === nth) for (const name of full) fillDisk(join(pod.root, name), utterly);
      return refuse?.(request);
    };
    return pod;
  }

  /** The engine locks the state for its plan, and again for the apply. */
  const inApply = { at: "PUT /v1/state/lock", nth: 2 };
  const resources = (state: Buffer | undefined) => parseState(state?.toString() ?? "").addresses;

  it("hands over its state, its journal and its end, though the agent can write nothing down", async () => {
    const pod = await start({ order: oneResource }, { ...inApply, full: ["spool"] });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 0 }, pod.log());
    const { state, lock, journal } = pod.gateway.memory;
    assert.equal(pod.outcome()?.result, "Applied");
    assert.deepEqual(resources(state), ["terraform_data.a"]);
    assert.deepEqual(
      journal.map(({ event }) => event),
      ["apply_start", "apply_complete"],
    );
    assert.equal(lock, undefined);
    assert.match(pod.log(), /the disk of the agent is full.*Free space on the node/);
  });

  it("keeps a state that the store refuses as a recovery copy", async () => {
    const refuse = (request: string) => (request === "POST /v1/state" ? "NotAState" : undefined);
    const pod = await start({ order: oneResource }, { ...inApply, full: ["spool", "out"], refuse });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
    assert.deepEqual(resources(pod.gateway.memory.recovery), ["terraform_data.a"]);
    assert.deepEqual([pod.outcome()?.result, pod.outcome()?.reason], ["Failed", "StateUnsaved"]);
  });

  it("holds a state of which not even an empty file was left, and tells no result before somebody has taken it", async () => {
    let taken = false;
    const refuse = (request: string) =>
      !taken && (request === "POST /v1/state" || request === "PUT /v1/recovery") ? "StateOwnedByOther" : undefined;
    const pod = await start({ order: oneResource }, { ...inApply, full: ["spool", "out"], utterly: true, refuse });
    await logged(pod, /refuses the recovery copy/);
    assert.equal(pod.gateway.memory.result, undefined, "the Run stays open");
    taken = true;
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
    assert.deepEqual(resources(pod.gateway.memory.recovery), ["terraform_data.a"]);
    assert.equal(pod.outcome()?.reason, "StateUnsaved");
    assert.match(pod.outcome()?.message ?? "", /kept as a recovery copy.*disk on which the pod works is full/s);
  });

  it("begins no apply that it could not remember after a restart", async () => {
    const pod = await start({ order: oneResource }, { at: "POST /v1/plan", full: ["spool"] });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
    assertNothingApplied(pod);
  });

  it("names it where the source cannot be laid out", async () => {
    const pod = await start({ order: oneResource }, { at: "POST /v1/claim", full: ["out"] });
    assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
    assertNothingApplied(pod);
  });

  for (const engine of engineNames) {
    it(`names it where init, plan or show cannot write, with ${engine}`, async () => {
      for (const at of ["GET /v1/state", "PUT /v1/state/lock", "DELETE /v1/state/lock"]) {
        const pod = await start({ engine, order: oneResource }, { at, full: ["out"] });
        assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
        assertNothingApplied(pod);
      }
    });

    it(`says so of an apply that cannot write, and stores what it has made, with ${engine}`, async () => {
      const writing = `
        resource "terraform_data" "a" {}
        resource "terraform_data" "b" {
          depends_on = [terraform_data.a]
          provisioner "local-exec" { command = "echo something > a-file" }
        }`;
      const order = { source: { inline: { "main.tf": writing } } };
      const pod = await start({ engine, order }, { ...inApply, full: ["spool", "out"] });
      assert.deepEqual(await pod.ended(), { agent: 0, engine: 1 }, pod.log());
      assert.deepEqual([pod.outcome()?.result, pod.outcome()?.reason], ["Failed", "ApplyFailed"]);
      assert.match(
        pod.outcome()?.message ?? "",
        /disk on which the pod works is full: free space on its node.*local-exec/s,
      );
      assert.ok(resources(pod.gateway.memory.state).includes("terraform_data.a"));
    });
  }

  function assertNothingApplied(pod: RunnerPod): void {
    assert.deepEqual([pod.outcome()?.result, pod.outcome()?.reason], ["Failed", "DiskFull"], pod.log());
    assert.match(
      pod.outcome()?.message ?? "",
      /disk on which the pod works is full: free space on its node.*Nothing was applied/,
    );
    assert.equal(pod.gateway.memory.state, undefined);
    assert.equal(pod.gateway.memory.lock, undefined);
  }
});

describe("an agent whose disk is full", () => {
  let root = "";
  let disk: ReturnType<typeof mountDisks>;
  let gateway: FakeGateway;
  let client: GatewayClient;
  let relay: StateRelay | undefined;
  const folder = () => join(root, "spool");
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "full-"));
    disk = mountDisks(root, { spool: 256 * 1024 });
    writeFileSync(join(root, "token"), "a token");
    gateway = await startGateway(aWorkOrder());
    const claim = { run: "r", namespace: "n", phase: "Apply" } as const;
    client = new GatewayClient({ url: gateway.url, ca: undefined, tokenFile: join(root, "token"), claim });
    await client.claim();
  });
  afterEach(async () => {
    // A relay that still holds something tries for as long as the process lives.
    gateway.memory.refuse = () => undefined;
    await relay?.drained();
    client.close();
    await gateway.close();
    disk.unmount();
    rmSync(root, { recursive: true });
  });

  it("tells the engine that a state is taken when the store has it, and not before", async () => {
    relay = new StateRelay({ gateway: client, folder: folder(), onAway: () => {}, patienceMs: 1 });
    await relay.lock({ ...lock, ID: "L1" });
    let away = true;
    gateway.memory.refuse = () => (away ? "StoreUnavailable" : undefined);
    const state = Buffer.from(JSON.stringify({ version: 4, lineage: "one", serial: 1, outputs: {}, resources: [] }));
    assert.deepEqual(await relay.write("L1", state), { end: "spooled" }, "a disk with room is as good as the store");
    fillDisk(folder());
    let told: Settled | undefined;
    const written = relay.write("L1", state).then((settled) => (told = settled));
    const before = gateway.memory.requests.length;
    await gateway.until(({ requests }) => requests.length >= before + 3, "some tries");
    assert.equal(told, undefined);
    away = false;
    assert.deepEqual(await written, { end: "stored" });
    assert.ok(gateway.memory.state?.equals(state));
  });

  it("writes down no fact by half, and remembers for itself what a restart could do without", async () => {
    const said: string[] = [];
    const spool = new Spool(folder(), (message) => said.push(message));
    await spool.write("fetched", { revision: "before" });
    fillDisk(folder());
    const files = readdirSync(folder());
    await assert.rejects(spool.write("fetched", { revision: "after" }), { code: "ENOSPC" });
    assert.deepEqual(await spool.read("fetched"), { revision: "before" });
    await spool.writeIfRoom("saved", "sha256:1");
    assert.equal(await spool.read("saved"), "sha256:1");
    assert.deepEqual(readdirSync(folder()), files, "nothing is left lying about");
    rmSync(join(folder(), FILLING));
    await spool.writeIfRoom("saved", "sha256:2");
    assert.equal(await spool.read("saved"), "sha256:2", "what fits again counts");
    assert.match(said.join(), /disk of the agent is full.*Free space on the node/);
  });

  it("leaves no gap in what it writes down about resources: a restart counts on their position", async () => {
    const spool = new Spool(folder());
    spool.append("journal", "first");
    fillDisk(folder());
    spool.append("journal", "x".repeat(8192));
    rmSync(join(folder(), FILLING));
    spool.append("journal", "third");
    assert.deepEqual(await spool.entries("journal"), ["first"]);
  });
});

const lock = { Operation: "apply", Info: "", Who: "", Version: "", Created: "", Path: "" };
