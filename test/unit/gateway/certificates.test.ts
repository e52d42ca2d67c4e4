import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { SECRETS } from "../../../operator/cluster/resources.ts";
import { renewed, type TlsMaterial } from "../../../operator/gateway/authority.ts";
import { currentMaterial } from "../../../operator/gateway/certificates.ts";
import { fakeKubeClient } from "../../fakes/kube-client.ts";
import { fakeClock } from "../loop/fake-clock.ts";
import { gatewayWorld } from "./gateway-world.ts";

const namespace = "terrarium-system";
const hosts = ["terrarium-gateway.terrarium-system.svc", "127.0.0.1"];
const day = (number: number) => new Date(Date.UTC(2030, 0, 1 + number));
const serverOf = ({ server }: TlsMaterial) => new X509Certificate(server.certificate);
const authorityOf = ({ authority }: TlsMaterial) => new X509Certificate(authority.certificate);

describe("the gateway's certificate", () => {
  it("is signed by an authority of its own and names its hosts", () => {
    const made = renewed(undefined, hosts, day(0));
    const [server, authority] = [serverOf(made), authorityOf(made)];
    assert.ok(server.verify(authority.publicKey) && authority.verify(authority.publicKey));
    assert.ok(server.checkIssued(authority));
    assert.deepEqual([server.ca, authority.ca], [false, true]);
    assert.equal(server.checkHost("terrarium-gateway.terrarium-system.svc"), "terrarium-gateway.terrarium-system.svc");
    assert.equal(server.checkIP("127.0.0.1"), "127.0.0.1");
    assert.equal(server.checkHost("elsewhere"), undefined);
  });

  it("is made anew when thirty days are left or a host is new, by the same authority", () => {
    const made = renewed(undefined, hosts, day(0));
    assert.equal(renewed(made, hosts, day(59)), made);
    const later = renewed(made, hosts, day(61));
    const moved = renewed(made, [...hosts, "new.example.com"], day(1));
    for (const other of [later, moved]) {
      assert.notEqual(other.server.certificate, made.server.certificate);
      assert.equal(other.authority.certificate, made.authority.certificate);
      assert.ok(serverOf(other).verify(authorityOf(made).publicKey));
    }
  });

  it("comes from a new authority before the old one can end first", () => {
    const made = renewed(undefined, hosts, day(0));
    const late = renewed(made, hosts, day(3650 - 119));
    assert.notEqual(late.authority.certificate, made.authority.certificate);
  });

  it("is written in both of the ways that dates have", () => {
    const made = renewed(undefined, hosts, new Date("2049-12-01T00:00:00Z"));
    assert.equal(new Date(serverOf(made).validTo).getUTCFullYear(), 2050);
  });

  it("is one for two replicas that start at once, or renew at once", async () => {
    const client = fakeKubeClient();
    let now = day(0);
    const ports = { client, namespace, hosts, now: () => now };
    const [one, two] = await Promise.all([currentMaterial(ports), currentMaterial(ports)]);
    assert.deepEqual(one, two);
    now = day(70);
    const [three, four] = await Promise.all([currentMaterial(ports), currentMaterial(ports)]);
    assert.deepEqual(three, four);
    assert.notEqual(three.server.certificate, one.server.certificate);
    assert.equal(client.objects(SECRETS).length, 1);
  });

  it("changes at every replica without a restart", async () => {
    const clock = fakeClock(new Date().toISOString());
    const world = await gatewayWorld({ clock });
    try {
      const before = await servedBy(world.replica.url);
      clock.freeze(61 * 86_400_000);
      await clock.advance(10 * 60_000);
      await world.call(world.gateway, "GET", "/v1/state", "x").catch(() => {});
      const [one, two] = [await servedBy(world.gateway.url), await servedBy(world.replica.url)];
      assert.notEqual(two, before);
      assert.equal(one, two);
    } finally {
      await world.close();
    }
  });
});

function servedBy(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    }).on("error", reject);
  });
}
