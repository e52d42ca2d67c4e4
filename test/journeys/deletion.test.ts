import assert from "node:assert/strict";
import { anEnvironment, fromConfigMap, fromSecret } from "./support/environments.ts";
import { following, repository } from "./support/git.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps, keepsVariable, planAsks, reports } from "./support/modules.ts";
import type { Outside } from "./support/outside.ts";

/** Everything that was made was destroyed, in whatever order things went. */
function balanced({ heard }: Outside): void {
  const ended = (what: string) => heard.filter((one) => one.startsWith(what)).map((one) => one.split("/")[1]);
  assert.deepEqual([...new Set(ended("destroy/"))].sort(), [...new Set(ended("create/"))].sort());
}

journeys("deleting an environment", () => {
  journeyWithEachEngine(
    "works without the repository, the ConfigMap and the Secret of its variables",
    async (place, engine) => {
      const { outside } = place;
      const module =
        ["size", "colour"].map((name) => `variable "${name}" {}\n`).join("") + reports(outside.address, "thing");
      const infra = await repository(place, "infra", { "main.tf": module });
      await place.configMap("settings", { size: "large" });
      await place.secret("settings", { colour: "green" });
      await place.apply(
        anEnvironment({
          name: "alone",
          engine,
          source: following(infra),
          components: [
            {
              name: "one",
              variables: [fromConfigMap("size", "settings", "size"), fromSecret("colour", "settings", "colour")],
            },
          ],
        }),
      );
      await place.untilReady("alone");
      await infra.remove();
      await place.kubectl(["delete", "secret/settings", "configmap/settings"]);
      await place.delete("alone");
      await place.untilGone("alone");
      assert.deepEqual(outside.heard, ["create/thing", "destroy/thing"]);
    },
  );

  journey("before anything was applied, there is nothing to destroy", async (place) => {
    const variables = [fromConfigMap("size", "nowhere", "size")];
    await place.apply(
      anEnvironment({ name: "early", components: [{ name: "one", module: keepsVariable("size"), variables }] }),
    );
    await place.untilReason("early", "one", "InputMissing");
    await place.delete("early");
    await place.untilGone("early");
  });

  journey("in the middle of init, nothing is left", async (place) => {
    const { outside } = place;
    outside.hold("slow.git/info/refs");
    const module = `module "slow" {\n  source = "git::${outside.url}/slow.git"\n}\n${reports(outside.address, "thing")}`;
    await place.apply(anEnvironment({ name: "init", components: [{ name: "one", module }] }));
    await outside.arrival("slow.git/info/refs");
    await place.delete("init");
    outside.release("slow.git/info/refs");
    await place.untilGone("init");
    balanced(outside);
  });

  journey("in the middle of a plan, nothing is left", async (place) => {
    const { outside } = place;
    outside.hold("version");
    const module = planAsks(outside) + reports(outside.address, "thing");
    await place.apply(anEnvironment({ name: "plan", components: [{ name: "one", module }] }));
    await outside.arrival("version");
    await place.delete("plan");
    outside.release("version");
    await place.untilGone("plan");
    balanced(outside);
  });

  journey("in the middle of an apply, the apply ends first and everything is destroyed", async (place) => {
    const { outside } = place;
    outside.hold("create/thing");
    await place.apply(
      anEnvironment({ name: "apply", components: [{ name: "one", module: reports(outside.address, "thing") }] }),
    );
    await outside.arrival("create/thing");
    await place.delete("apply");
    await place.untilComponent("apply", "one", ({ state }) => state === "Applying" || state === "Destroying");
    assert.equal(outside.count("destroy/thing"), 0);
    outside.release("create/thing");
    await place.untilGone("apply");
    assert.deepEqual(outside.heard, ["create/thing", "destroy/thing"]);
  });

  journey("in the foreground, as by Argo CD, in the middle of an apply, what was made is destroyed", async (place) => {
    const { outside } = place;
    outside.hold("create/second");
    const module = reports(outside.address, "first") + reports(outside.address, "second", ["first"]);
    await place.apply(anEnvironment({ name: "front", components: [{ name: "one", module }] }));
    await outside.arrival("create/second");
    await place.kubectl(["delete", "environment", "front", "--cascade=foreground", "--wait=false"]);
    // The garbage collector may end the pod before this answer comes, or not get to it.
    outside.release("create/second");
    await place.untilGone("front");
    assert.equal(outside.count("destroy/first"), 1);
  });

  journeyWithEachEngine("after an apply that failed half way, what was made is destroyed", async (place, engine) => {
    const { outside } = place;
    outside.refuse("create/second");
    const module = reports(outside.address, "first") + reports(outside.address, "second", ["first"]);
    await place.apply(
      anEnvironment({ name: "half", engine, retry: { limit: 0 }, components: [{ name: "one", module }] }),
    );
    await place.untilComponent("half", "one", ({ state }) => state === "Failed");
    await place.delete("half");
    await place.untilGone("half");
    assert.equal(outside.count("destroy/first"), 1);
  });

  journey(
    "a destroy that fails keeps the Environment with the reason; it goes on when that is asked for",
    async (place) => {
      const { outside } = place;
      await place.apply(
        anEnvironment({
          name: "stuck",
          retry: { limit: 0 },
          components: [{ name: "one", module: keeps("x") + reports(outside.address, "thing") }],
        }),
      );
      await place.untilReady("stuck");
      outside.refuse("destroy/thing");
      await place.delete("stuck");
      const run = await place.untilRunEnds("one", 2);
      assert.equal(run.status?.outcome?.reason, "DestroyFailed");
      assert.match(run.status?.outcome?.message ?? "", /terraform_data\.thing/);
      const line = await place.untilComponent("stuck", "one", ({ state }) => state === "Failed");
      assert.match(line.message ?? "", /thing|DestroyFailed/);
      outside.accept("destroy/thing");
      await place.request("stuck");
      await place.untilGone("stuck");
    },
  );

  journey("destroys each component but those that are to be kept", async (place) => {
    const { outside } = place;
    const components = [
      { name: "lasting", deletionPolicy: "Retain", module: reports(outside.address, "lasting") },
      { name: "passing", module: reports(outside.address, "passing") },
    ];
    await place.apply(anEnvironment({ name: "mixed", components }));
    await place.untilReady("mixed");
    await place.delete("mixed");
    await place.untilGone("mixed");
    assert.deepEqual(
      outside.heard.filter((what) => what.startsWith("destroy/")),
      ["destroy/passing"],
    );
  });

  journey("a destroy that fails is tried again by itself", async (place) => {
    const { outside } = place;
    await place.apply(
      anEnvironment({ name: "again", components: [{ name: "one", module: reports(outside.address, "thing") }] }),
    );
    await place.untilReady("again");
    outside.refuse("destroy/thing");
    await place.delete("again");
    await place.untilReason("again", "one", "DestroyFailed");
    outside.accept("destroy/thing");
    await place.untilGone("again");
  });

  journey(
    "credentials that are gone are asked for, and used when they return",
    async (place) => {
      await place.secret("cloud", { CLOUD_TOKEN: "t0ken-of-the-cloud" });
      const credentials = [{ name: "cloud", secretRef: { name: "cloud" }, as: "Env" }];
      await place.apply(
        anEnvironment({ name: "cloud", credentials, components: [{ name: "one", module: keeps("x") }] }),
      );
      await place.untilReady("cloud");
      await place.kubectl(["delete", "secret/cloud"]);
      await place.delete("cloud");
      const line = await place.untilReason("cloud", "one", "CredentialsMissing");
      assert.match(line.message ?? "", /Secret cloud/);
      await place.secret("cloud", { CLOUD_TOKEN: "t0ken-of-the-cloud" });
      await place.untilGone("cloud", { within: 130 });
    },
    { within: 240 },
  );

  journeyWithEachEngine("credentials that are kept for it need not be there", async (place, engine) => {
    const { outside } = place;
    await place.secret("cloud", { CLOUD_TOKEN: "t0ken-of-the-cloud" });
    const credentials = [{ name: "cloud", secretRef: { name: "cloud" }, as: "Env", keepForDestroy: true }];
    const check = `
resource "terraform_data" "checked" {
  provisioner "local-exec" {
    when    = destroy
    command = "test \\"$CLOUD_TOKEN\\" = t0ken-of-the-cloud"
  }
}
`;
    await place.apply(
      anEnvironment({
        name: "kept",
        engine,
        credentials,
        components: [{ name: "one", module: check + reports(outside.address, "thing") }],
      }),
    );
    await place.untilReady("kept");
    await place.kubectl(["delete", "secret/cloud"]);
    await place.delete("kept");
    await place.untilGone("kept");
    assert.deepEqual(outside.heard, ["create/thing", "destroy/thing"]);
  });

  journey("a namespace that holds an Environment is not deleted", async (place) => {
    await place.apply(anEnvironment({ name: "home", components: [{ name: "one", module: keeps("x") }] }));
    await place.untilReady("home");
    await assert.rejects(place.kubectl(["delete", "namespace", place.namespace, "--wait=false"]), /Environment/);
  });
});
