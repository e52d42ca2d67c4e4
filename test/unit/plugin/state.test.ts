import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { ApiError } from "../../../operator/cluster/errors.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { type PluginWorldOptions, pluginWorld } from "../../fakes/plugin-world.ts";
import { at, shop } from "./shop.ts";

const ROOT = "/apis/state.terrarium.dev/v1alpha1/namespaces/team/states";
const STATE = `${ROOT}/shop.network`;

const network = {
  metadata: { name: "shop.network", namespace: "team" },
  status: {
    environment: "shop",
    component: "network",
    serial: 7,
    resources: 12,
    versions: [
      { serial: 7, storedAt: at(5) },
      { serial: 6, storedAt: at(1) },
    ],
    lock: { id: "lock-1", run: "shop-network-8", since: at(15) },
  },
};

/** A service for states that answers these, and remembers what it was asked. */
function world(answers: Readonly<Record<string, string>>, options: PluginWorldOptions = {}) {
  const asked: string[] = [];
  const raw = (request: string, text: string | undefined) => {
    asked.push(text === undefined ? request : `${request} ${text}`);
    return answers[request] ?? "";
  };
  return { asked, ...pluginWorld({ environments: [shop()], minutes: 20, raw, ...options }) };
}

describe("kubectl terrarium state", () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "terrarium-state-"));
  });
  after(() => rm(dir, { recursive: true }));

  async function stateFile(): Promise<string> {
    const file = join(dir, "network.tfstate");
    await writeFile(file, '{"serial": 8}');
    return file;
  }

  it("list shows what is stored, which versions, and who holds the lock", async () => {
    const recovering = {
      ...network,
      status: {
        environment: "shop",
        component: "app",
        claim: { id: "pod-uid-2", run: "shop-app-2", since: at(18) },
        recovery: { run: "shop-app-2" },
      },
    };
    const { call } = world({ [`GET ${ROOT}`]: JSON.stringify({ items: [network, recovering] }) });
    const { out, code } = await call("state", "list", "shop");
    assert.equal(code, EXIT.done);
    assert.equal(
      out,
      `
ENVIRONMENT  COMPONENT  SERIAL  RESOURCES  AGE  VERSIONS  IN USE BY              RECOVERY COPY
shop         network    7       12         15m  7, 6      shop-network-8 for 5m
shop         app        none                              shop-app-2 for 2m      of shop-app-2`.trim(),
    );
  });

  const formats: Readonly<Record<string, (text: string) => unknown>> = { json: JSON.parse, yaml: parse };
  for (const [format, read] of Object.entries(formats))
    it(`list gives as ${format} what the service has told, of the environment that is named`, async () => {
      const other = { ...network, status: { ...network.status, environment: "shop-2" } };
      const { call } = world({ [`GET ${ROOT}`]: JSON.stringify({ items: [network, other] }) });
      const { code, out } = await call("state", "list", "shop", "-o", format);
      assert.deepEqual([code, read(out)], [EXIT.done, [network]]);
      assert.deepEqual(read((await call("state", "list", "-o", format)).out), [network, other]);
    });

  it("pull gives the state byte for byte, to stdout or to a file that only its owner reads", async () => {
    const state = '{"serial": 7, "id": 12345678901234567890}\n';
    const { call, asked } = world({ [`GET ${STATE}/content`]: state, [`GET ${STATE}/content?serial=6`]: "{}" });
    assert.equal((await call("state", "pull", "shop", "network")).out, state);
    const file = join(dir, "network.tfstate");
    await call("state", "pull", "shop", "network", "-f", file);
    assert.equal(await readFile(file, "utf8"), state);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await call("state", "pull", "shop", "network", "--serial", "6")).out, "{}");
    await call("state", "pull", "shop", "network", "--recovery");
    assert.equal(asked.at(-1), `GET ${STATE}/content?recovery=true`);
  });

  it("pull leaves a file to its owner that was there before, and for everybody", async () => {
    const { call } = world({ [`GET ${STATE}/content`]: '{"serial": 7}' });
    const file = join(dir, "for-everybody.tfstate");
    await writeFile(file, "what was here before, and longer than what comes", { mode: 0o644 });
    await call("state", "pull", "shop", "network", "-f", file);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(await readFile(file, "utf8"), '{"serial": 7}');
  });

  it("list tells a script, too, where an environment has none", async () => {
    const { call } = world({ [`GET ${ROOT}`]: JSON.stringify({ items: [network] }) });
    const { code, err } = await call("state", "list", "nope", "-o", "json");
    assert.deepEqual([code, err], [EXIT.notFound, "There are no states of nope in team."]);
    const none = await world({ [`GET ${ROOT}`]: '{"items": null}' }).call("state", "list", "-o", "json");
    assert.deepEqual([none.code, none.out], [EXIT.done, "[]"]);
  });

  it("says in the store's words what it refuses, and not that somebody was faster", async () => {
    const message = "serial 3 is stored, and this one has 2: force puts it there all the same";
    const { call } = world(
      {},
      {
        raw: () => {
          throw new ApiError({ request: "PUT content", status: 409, reason: "Conflict", message });
        },
      },
    );
    const { code, err } = await call("state", "push", "shop", "network", "-f", await stateFile());
    assert.deepEqual([code, err], [EXIT.error, `Refused: ${message}`]);
  });

  it("push sends the state as it is, from a file or from stdin", async () => {
    const state = '{"serial": 7, "id": 12345678901234567890}';
    const answers = { [`PUT ${STATE}/content`]: JSON.stringify(network) };
    const file = join(dir, "mine.tfstate");
    await writeFile(file, state);
    const { call, asked } = world(answers);
    const { out } = await call("state", "push", "shop", "network", "--file", file);
    assert.equal(out, "Pushed: the state of shop/network has serial 7 and 12 resources now.");
    await world(answers, { stdin: state }).call("state", "push", "shop", "network");
    assert.deepEqual(asked, [`PUT ${STATE}/content ${state}`]);
  });

  it("push refuses what is no state, and asks before it puts rules aside", async () => {
    const { call, asked } = world({ [`PUT ${STATE}/content?force=true`]: JSON.stringify(network) }, { stdin: "" });
    assert.equal((await call("state", "push", "shop", "network")).code, EXIT.usage);
    const forced = world({ [`PUT ${STATE}/content?force=true`]: JSON.stringify(network) }, { stdin: "{}" });
    assert.equal((await forced.call("state", "push", "shop", "network", "--force")).code, EXIT.usage);
    assert.deepEqual([asked, forced.asked], [[], []]);
    assert.equal((await forced.call("state", "push", "shop", "network", "--force", "--yes")).code, EXIT.done);
    assert.deepEqual(forced.asked, [`PUT ${STATE}/content?force=true {}`]);
  });

  it("restore names a version or the recovery copy, and asks", async () => {
    const answers = { [`POST ${STATE}/restore`]: JSON.stringify(network) };
    const { call, asked } = world(answers, { answers: ["yes", "no"] });
    assert.equal((await call("state", "restore", "shop", "network")).code, EXIT.usage);
    assert.equal((await call("state", "restore", "shop", "network", "--serial", "6")).code, EXIT.done);
    const doubting = world(answers, { answers: ["no"] });
    assert.equal((await doubting.call("state", "restore", "shop", "network", "--recovery")).code, EXIT.usage);
    assert.deepEqual([asked, doubting.asked], [[`POST ${STATE}/restore {"serial":6}`], []]);
    const recovering = world(answers);
    const recovered = await recovering.call("state", "restore", "shop", "network", "--recovery", "--yes");
    assert.equal(recovered.code, EXIT.done);
    assert.deepEqual(recovering.asked, [`POST ${STATE}/restore {"recovery":true}`]);
  });

  it("restore gives up a recovery copy that cannot be read where --force says so, which the question tells", async () => {
    const answers = { [`POST ${STATE}/restore`]: JSON.stringify(network) };
    const { call, asked } = world(answers, { answers: ["yes"] });
    const { code, err } = await call("state", "restore", "shop", "network", "--serial", "6", "--force");
    assert.equal(code, EXIT.done);
    assert.match(err, /^Make version 6 .*, and give up a recovery copy that cannot be read\?/);
    assert.deepEqual(asked, [`POST ${STATE}/restore {"serial":6,"force":true}`]);
  });

  it("restore does not take --force for the copy that it would give up", async () => {
    const { call, asked } = world({ [`POST ${STATE}/restore`]: JSON.stringify(network) });
    const { code, err } = await call("state", "restore", "shop", "network", "--recovery", "--force", "--yes");
    assert.equal(code, EXIT.usage);
    assert.match(err, /^--force gives up the copy that --recovery restores/);
    assert.deepEqual(asked, []);
  });

  it("restore and push say what follows, where it is not what was applied", async () => {
    const lastWrite = { how: "Restore", by: "jane", serial: 7, unsettled: true };
    const replaced = { ...network, status: { ...network.status, lastWrite } };
    const { call } = world({
      [`POST ${STATE}/restore`]: JSON.stringify(replaced),
      [`PUT ${STATE}/content`]: JSON.stringify({ ...network, status: { ...network.status, lastWrite: {} } }),
    });
    const restored = await call("state", "restore", "shop", "network", "--serial", "6", "--yes");
    assert.match(restored.out, /\n.*waits for a person: kubectl terrarium approve shop -n team$/);
    const pushed = await call("state", "push", "shop", "network", "-f", await stateFile());
    assert.equal(pushed.out, "Pushed: the state of shop/network has serial 7 and 12 resources now.");
  });

  it("unlock says who took the lock, asks, and releases exactly that one", async () => {
    const answers = { [`GET ${STATE}`]: JSON.stringify(network), [`POST ${STATE}/unlock`]: JSON.stringify(network) };
    const { call, asked } = world(answers, { answers: ["yes"] });
    const { out, err } = await call("state", "unlock", "shop", "network");
    assert.match(err, /^The lock of shop\/network was taken by shop-network-8 at .*\n.*Only "yes" counts/);
    assert.equal(out, "Released the lock of shop/network.");
    assert.equal(asked.at(-1), `POST ${STATE}/unlock {"lock":"lock-1"}`);
    const claimed = {
      ...network,
      status: { environment: "shop", component: "network", claim: { id: "pod-uid-8", run: "shop-network-8" } },
    };
    const claims = world({ [`GET ${STATE}`]: JSON.stringify(claimed), [`POST ${STATE}/unlock`]: "{}" });
    const released = await claims.call("state", "unlock", "shop", "network", "--yes");
    assert.match(released.err, /^The claim of shop\/network was taken by shop-network-8\. Its id: pod-uid-8$/m);
    assert.equal(released.out, "Released the claim of shop/network.");
    assert.equal(claims.asked.at(-1), `POST ${STATE}/unlock {"lock":"pod-uid-8"}`);
    const free = { ...network, status: { environment: "shop", component: "network" } };
    const nobody = world({ [`GET ${STATE}`]: JSON.stringify(free) });
    assert.equal((await nobody.call("state", "unlock", "shop", "network", "--yes")).code, EXIT.waiting);
  });

  it("imports prints blocks that are ready to use", async () => {
    const blocks = 'import {\n  to = aws_vpc.main\n  id = "vpc-1"\n}\n';
    const { call } = world({ [`GET ${STATE}/imports`]: blocks });
    assert.equal((await call("state", "imports", "shop", "network")).out, blocks);
  });

  it("says why where a cluster serves no states", async () => {
    const { code, err } = await pluginWorld({ environments: [shop()] }).call("state", "list");
    assert.equal(code, EXIT.notFound);
    assert.match(err, /kubectl get apiservice v1alpha1\.state\.terrarium\.dev says why/);
  });

  it("says why where the operator does not answer for them", async () => {
    const raw = (request: string): never => {
      throw new ApiError({ request, status: 503, reason: "ServiceUnavailable", message: "service unavailable" });
    };
    const { code, err } = await pluginWorld({ environments: [shop()], raw }).call("state", "pull", "shop", "network");
    assert.equal(code, EXIT.error);
    assert.match(err, /^The operator does not answer for states just now/);
  });

  it("without a word says which there are", async () => {
    const { code, out } = await world({}).call("state");
    assert.equal(code, EXIT.usage);
    for (const word of ["list", "pull", "push", "restore", "imports"])
      assert.match(out, new RegExp(`Usage: kubectl terrarium state ${word}`));
  });
});
