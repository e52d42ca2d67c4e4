/** Runs of the shop, one that has ended and one that applies, and a world for the plugin with the shop in it. */
import { type PluginWorldOptions, pluginWorld } from "../../fakes/plugin-world.ts";
import { aShopRun, at, shop } from "./shop.ts";

export const applied = aShopRun("network", 1, {
  observedGeneration: 1,
  phase: "Succeeded",
  finishedAt: at(2),
  pods: [{ name: "shop-network-1-p", uid: "u1", createdAt: at(1) }],
  plan: {
    digest: "sha256:p",
    counts: { create: 2, update: 0, replace: 0, delete: 0 },
    resources: [],
    verdict: "Apply",
  },
  outcome: { result: "Applied", reason: "Applied", message: "the plan was applied" },
});
export const working = aShopRun("database", 2, {
  observedGeneration: 1,
  phase: "Applying",
  pods: [{ name: "shop-database-2-p", uid: "u2", createdAt: at(2) }],
});

export const world = (options: PluginWorldOptions = {}) =>
  pluginWorld({ environments: [shop()], minutes: 20, ...options });
