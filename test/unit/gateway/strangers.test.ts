import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlainly } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { Gateway } from "../../../operator/gateway/gateway.ts";
import { aToken } from "../../fakes/token.ts";
import { aState } from "../storage/claimants.ts";
import { type GatewayWorld, gatewayWorld, untilApplying } from "./gateway-world.ts";

/** Also the time that forty handshakes at once may take. */
const STRANGER_MS = 2_000;
const ROOM = 256 * 1024;

let world: GatewayWorld;
let sockets: TLSSocket[];
beforeEach(async () => {
  sockets = [];
  world = await gatewayWorld({ limits: { inFlightBytes: ROOM, strangerMs: STRANGER_MS } });
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await world.close();
});

/** A request whose body is announced and never comes. */
function announce(at: Gateway, line: string, headers: readonly string[] = []) {
  const { hostname, port } = new URL(at.url);
  const socket = connect({ host: hostname, port: Number(port), ca: at.caPem() });
  sockets.push(socket);
  const closed = once(socket, "close");
  socket.on("error", () => {});
  socket.write([`${line} HTTP/1.1`, "Host: gateway", ...headers, "", ""].join("\r\n"));
  const answer = async () => String((await once(socket, "data"))[0]).split("\r\n")[0];
  return { socket, closed, answer };
}

const length = (bytes: number) => `Content-Length: ${bytes}`;
const bearer = (session: string) => `Authorization: Bearer ${session}`;

/** Of a pod that was told to apply. */
async function aSession(component: string): Promise<string> {
  const run = world.aRun(component, 1);
  const session = String((await world.claim(world.aPod(run), run)).json.session);
  await untilApplying((method, path, body) => world.call(world.gateway, method, path, session, body));
  return session;
}

async function lock(session: string): Promise<number> {
  return (await world.call(world.gateway, "PUT", "/v1/state/lock", session, { ID: "lock" })).status;
}

async function write(session: string, serial: number): Promise<number> {
  return (await world.call(world.gateway, "POST", "/v1/state?ID=lock", session, aState({ serial }))).status;
}

describe("a stranger who announces a large body", () => {
  const requests: readonly (readonly [string, string, readonly string[], RegExp])[] = [
    ["to no route", "POST /v1/nothing", [], /404/],
    ["to a route, without a session", "POST /v1/state?ID=x", [], /401/],
    ["to a route, with a forged session", "POST /v1/state?ID=x", [bearer("a.b")], /401/],
    ["as a claim without a token", "POST /v1/claim", [], /401/],
    ["as a claim that is too large", "POST /v1/claim", [bearer("x")], /413/],
  ];
  for (const [what, line, headers, status] of requests) {
    it(`${what}, is answered at once, sent away, and is in nobody's way`, async () => {
      const session = await aSession("network");
      await lock(session);
      const { answer, closed } = announce(world.gateway, line, [...headers, length(10 * ROOM)]);
      assert.match(String(await answer()), status);
      assert.equal(await write(session, 1), 204);
      await closed;
    });
  }

  it("in pieces of a small claim that do not come, is sent away, and is in nobody's way", async () => {
    const session = await aSession("network");
    await lock(session);
    const slow = Array.from({ length: 40 }, () =>
      announce(world.gateway, "POST /v1/claim", [bearer("x"), length(16_000)]),
    );
    await Promise.all(slow.map(({ socket }) => once(socket, "secureConnect")));
    assert.equal(await write(session, 1), 204);
    await Promise.all(slow.map(({ closed }) => closed));
  });
});

describe("a stranger who claims a Run", () => {
  const reviews = () => world.client.calls.filter((call) => call.startsWith("reviewToken")).length;
  for (const [what, token] of [
    ["with no JWT", "x"],
    ["with a JWT that is none", "a.b.c"],
    ["with a JWT that says no audience", aToken("pod", null)],
    ["with a token for the API server", aToken("pod", ["https://kubernetes.default.svc.cluster.local"])],
    ["with a part too many", `${aToken("pod")}.x`],
  ] as const) {
    it(`${what}, costs the API server nothing`, async () => {
      const run = world.aRun("network", 1);
      assert.equal((await world.claim({ name: "", uid: "", token }, run)).status, 401);
      assert.equal(reviews(), 0);
    });
  }

  it("with a token that says the right audience, has it reviewed, whether it says it alone or in a list", async () => {
    const run = world.aRun("network", 1);
    for (const audience of ["terrarium-gateway", ["vault", "terrarium-gateway"]])
      assert.equal((await world.claim({ name: "", uid: "", token: aToken("pod", audience) }, run)).status, 401);
    assert.equal(reviews(), 2);
  });
});

describe("a stranger who says nothing", () => {
  it("is sent away after the handshake, and before it", async () => {
    const { hostname, port } = new URL(world.gateway.url);
    const silent = connect({ host: hostname, port: Number(port), ca: world.gateway.caPem() });
    sockets.push(silent);
    const plain = connectPlainly({ host: hostname, port: Number(port) });
    for (const socket of [silent, plain]) socket.on("error", () => {}).resume();
    silent.write("POST /v1/claim HTTP/1.1\r\n");
    await Promise.all([once(silent, "close"), once(plain, "close")]);
  });
});

describe("bodies of agents", () => {
  /** Resolves when the gateway is ready for a body, which then does not come. */
  async function aSlowBody(size: string) {
    const slow = await aSession("network");
    const headers = [bearer(slow), size, "Expect: 100-continue"];
    const sent = announce(world.gateway, "POST /v1/state?ID=lock", headers);
    assert.match(String(await sent.answer()), /100 Continue/);
    return sent;
  }

  it("share the room there is: the next one is asked to come again until one has gone", async () => {
    const other = await aSession("database");
    await lock(other);
    const { socket } = await aSlowBody(length(ROOM));
    assert.equal(await write(other, 1), 503);
    // Nobody hurries an agent.
    await new Promise((resolve) => setTimeout(resolve, 2 * STRANGER_MS));
    assert.equal(await write(other, 1), 503);
    socket.destroy();
    await untilWritten(other);
  });

  it("of unknown length count as large as they may be", async () => {
    const other = await aSession("database");
    await lock(other);
    await aSlowBody("Transfer-Encoding: chunked");
    assert.equal(await write(other, 1), 503);
  });
});

/** The gateway hears a moment later that somebody has gone. */
async function untilWritten(session: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) if ((await write(session, 1)) === 204) return;
  assert.fail("the room was not given back");
}
