import type { Environment } from "../../../operator/api/environment.ts";
import { diagnosis } from "../../../plugin/reading/diagnosis.ts";
import { pictureOf } from "../../../plugin/reading/picture.ts";
import { T0 } from "../../fakes/objects.ts";

/** What the doctor finds out about an environment: level, sentence and what to do, with bars between them. */
export function found(environment: Environment, focus = true) {
  const facts = { context: "c", server: "s", version: "v1.35.4", kinds: ["environments"], user: "jane", rights: [] };
  const picture = pictureOf(environment, []);
  return diagnosis({ ...facts, namespace: "team", operator: "hidden", pictures: [picture], focus, nowMs: T0 })
    .filter(({ about }) => about === "environment")
    .map(({ level, says, next }) => [level, says, ...next].join(" | "));
}
