import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { ConfigMap, Lease } from "../../operator/cluster/kinds.ts";
import type { Client } from "../../operator/cluster/ports.ts";
import { CONFIG_MAPS, LEASES } from "../../operator/cluster/resources.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { createElection, type Election } from "../../operator/loop/lease.ts";
import { type EngineServer, engineServer, makeNamespace, until } from "./engine-server.ts";

const NAMESPACE = "engine-lease";

interface Candidate extends Election {
  readonly lost: string[];
  leave(): Promise<void>;
}

describe("the lease on a real API server", function () {
  this.timeout(120_000);
  let server: EngineServer;
  let candidates: Candidate[];
  let child: ChildProcess | undefined;

  before(async () => {
    server = await engineServer();
    await makeNamespace(server.client, NAMESPACE);
  });
  beforeEach(() => {
    candidates = [];
  });
  afterEach(async () => {
    child?.kill("SIGKILL");
    await Promise.all(candidates.map((candidate) => candidate.leave()));
  });

  const quick = { leaseMs: 3_000, renewDeadlineMs: 2_000 };
  const stand = (client: Client, name: string, identity: string, limits = quick): Candidate => {
    const abort = new AbortController();
    const lost: string[] = [];
    const election = createElection({
      client,
      clock: systemClock,
      namespace: NAMESPACE,
      name,
      identity,
      ...limits,
      retryMs: 200,
      onLeading: () => {},
      onLost: (why) => lost.push(why),
    });
    const running = election.run(abort.signal);
    const leave = () => {
      abort.abort();
      return running;
    };
    const candidate = { ...election, lost, leave };
    candidates.push(candidate);
    return candidate;
  };

  it("one of two leads; when it goes in good order the other follows at once", async () => {
    const [a, b] = [stand(server.client, "orderly", "a"), stand(server.client, "orderly", "b")];
    await until("one leads", () => a.isLeading() || b.isLeading());
    assert.equal(a.isLeading() && b.isLeading(), false);
    const [first, second] = a.isLeading() ? [a, b] : [b, a];
    await first.leave();
    const leftAt = performance.now();
    await until("the other leads", () => second.isLeading());
    assert.ok(performance.now() - leftAt < 2_000, "long before the lease would have ended");
    const lease = await server.client.get<Lease>(LEASES, NAMESPACE, "orderly");
    assert.equal(lease.spec?.leaseTransitions, 1, "taken once");
  });

  it("a leader whose connections are cut gives up before the other takes over", async () => {
    const line = await server.another();
    const a = stand(line.client, "cut", "a");
    await until("a leads", () => a.isLeading());
    const b = stand(server.client, "cut", "b");
    await line.connection.close();
    let both = false;
    await until("b leads", () => {
      both ||= a.isLeading() && b.isLeading();
      return b.isLeading();
    });
    assert.equal(both, false);
    assert.match(a.lost.join(), /not renewed/);
  });

  it("the lease outlives a frozen API server that is back in time", async () => {
    const a = stand(server.client, "frost", "a", { leaseMs: 15_000, renewDeadlineMs: 10_000 });
    await until("a leads", () => a.isLeading());
    await server.freeze();
    await systemClock.sleep(3_000);
    server.thaw();
    await systemClock.sleep(15_000);
    assert.deepEqual([a.isLeading(), a.lost], [true, []]);
  });

  it("a process that was frozen while another took over begins no write when it wakes, and ends", async () => {
    const { client } = server;
    await client.create<ConfigMap>(CONFIG_MAPS, { metadata: { name: "writer", namespace: NAMESPACE } });
    const writtenBy = async (who: string) =>
      (await client.get<ConfigMap>(CONFIG_MAPS, NAMESPACE, "writer")).data?.[who];
    const script = join(import.meta.dirname, "lease-candidate.ts");
    const args = [script, server.kubeconfigPath, NAMESPACE, "frozen"];
    child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += chunk;
    });
    await until("the child writes", async () => (await writtenBy("frozen")) !== undefined);
    child.kill("SIGSTOP");
    const b = stand(client, "frozen", "b");
    await until("b leads", () => b.isLeading());
    const woken = new Date();
    child.kill("SIGCONT");
    await until("the child ends", () => child?.exitCode !== null);
    assert.equal(said, "leading\nlost\n");
    // What was on its way when the process froze may still arrive: compare-and-swap has to stop that. Each write says when it was begun.
    assert.ok(Date.parse((await writtenBy("frozen")) ?? "") < woken.getTime());
    assert.ok(b.isLeading());
  });
});
