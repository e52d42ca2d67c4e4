import assert from "node:assert/strict";
import type { Environment } from "../../operator/api/environment.ts";
import { anEnvironment, fromConfigMap, fromSecret } from "./support/environments.ts";
import { following, repository } from "./support/git.ts";
import { journey, journeys } from "./support/journey.ts";
import { keeps, reports } from "./support/modules.ts";
import { conditionOf, lineOf, type Place } from "./support/place.ts";

/** What an Application holds, in one file. */
const together = (...items: readonly object[]) => JSON.stringify({ apiVersion: "v1", kind: "List", items });

const secret = (name: string, stringData: object) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name },
  stringData,
});
const settings = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data: { size: "large" } };

const usesThem = ({ outside }: Place, credential: object) =>
  anEnvironment({
    name: "shop",
    credentials: [{ name: "cloud", secretRef: { name: "cloud" }, as: "Env", ...credential }],
    components: [
      {
        name: "one",
        module: `variable "size" {}\nvariable "colour" {}\n${reports(outside.address, "thing")}`,
        variables: [fromConfigMap("size", "settings", "size"), fromSecret("colour", "paint", "colour")],
      },
    ],
  });

const everything = (place: Place, credential: object) =>
  together(
    secret("cloud", { CLOUD_TOKEN: "t0ken-of-the-cloud" }),
    secret("paint", { colour: "green" }),
    settings,
    usesThem(place, credential),
  );

const wait = (place: Place, what: string, timeout = "120s") =>
  place.kubectl(["wait", "environment/shop", `--for=${what}`, `--timeout=${timeout}`]);

journeys("what a GitOps tool does", () => {
  journey("everything is deleted at once, and goes, where the credentials are kept for it", async (place) => {
    const manifests = everything(place, { keepForDestroy: true });
    await place.kubectl(["apply", "-f", "-"], manifests);
    await wait(place, "condition=Ready");
    await place.kubectl(["delete", "--timeout=120s", "-f", "-"], manifests);
    assert.deepEqual(place.outside.heard, ["create/thing", "destroy/thing"]);
  });

  journey(
    "everything is deleted at once, and says that it waits for the credentials, where they are not",
    async (place) => {
      const manifests = everything(place, {});
      await place.kubectl(["apply", "-f", "-"], manifests);
      await wait(place, "condition=Ready");
      await place.kubectl(["delete", "--wait=false", "-f", "-"], manifests);
      const missing = (one: Environment) => conditionOf(one, "Stalled")?.reason === "CredentialsMissing";
      const stalled = conditionOf(await place.until("shop", missing), "Stalled");
      assert.match(stalled?.message ?? "", /Secret cloud/);
      assert.equal(place.outside.count("destroy/thing"), 0);
      await place.secret("cloud", { CLOUD_TOKEN: "t0ken-of-the-cloud" });
      await wait(place, "delete", "150s");
      assert.deepEqual(place.outside.heard, ["create/thing", "destroy/thing"]);
    },
    { within: 300 },
  );

  journey("the same manifest by two managers makes no Run, and a wait is for the spec of now", async (place) => {
    const { outside } = place;
    const shop = (...names: readonly string[]) =>
      anEnvironment({
        name: "shop",
        components: [{ name: "one", module: names.map((name) => reports(outside.address, name)).join("") }],
      });
    const managers = ["argocd-controller", "kustomize-controller"];
    const applyBy = (manager: string, manifest: object) => {
      const how = ["--server-side", "--force-conflicts", `--field-manager=${manager}`];
      return place.kubectl(["apply", ...how, "-f", "-"], JSON.stringify(manifest));
    };
    for (const manager of managers) await applyBy(manager, shop("thing"));
    await wait(place, "condition=Ready");
    const { metadata } = await place.environment("shop");
    for (const manager of managers) await applyBy(manager, shop("thing"));
    assert.equal((await place.environment("shop")).metadata.generation, metadata.generation);

    outside.hold("create/another");
    for (const manager of managers) await applyBy(manager, shop("thing", "another"));
    await outside.arrival("create/another");
    await assert.rejects(wait(place, "condition=Ready", "1s"), /timed out/);
    outside.release("create/another");
    await wait(place, "condition=Ready");
    assert.deepEqual(outside.heard, ["create/thing", "create/another"]);
    assert.deepEqual(
      (await place.runs()).map(({ spec }) => spec.number),
      [1, 2],
      "one Run for each change, and none for what was applied again",
    );
  });

  journey(
    "a commit that changes nothing that matters makes no plan, one of a module for those that it touches",
    async (place) => {
      const modules = { "live/one/main.tf": keeps("one"), "live/two/main.tf": keeps("two") };
      const infra = await repository(place, "infra", { ...modules, "clusters/shop.yaml": "kind: Environment\n" });
      await place.apply(
        anEnvironment({
          name: "shop",
          source: following(infra, { branch: "main" }, { watch: ["modules"] }),
          components: [
            { name: "one", path: "live/one" },
            { name: "two", path: "live/two" },
          ],
        }),
      );
      await place.untilReady("shop");
      await infra.push({ ...modules, "clusters/approvals/one.yaml": "kind: Approval\n" });
      const touched = await infra.push({ ...modules, "live/two/main.tf": keeps("two, newer") });
      await place.untilComponent("shop", "two", ({ revision }) => revision === `main@sha1:${touched}`);
      const [first, ...others] = await place.runs("one");
      assert.deepEqual([first?.spec.number, others.length], [1, 0]);
      assert.equal(lineOf("one")(await place.environment("shop"))?.state, "Ready");

      const shared = await infra.push({
        ...modules,
        "live/two/main.tf": keeps("two, newer"),
        "modules/net/main.tf": keeps("net"),
      });
      for (const name of ["one", "two"])
        await place.untilComponent("shop", name, ({ revision }) => revision === `main@sha1:${shared}`);
    },
  );
});
