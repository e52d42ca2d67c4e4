/** Stories of people who are asked for their approval. */
import type { ApprovalRules } from "../../../operator/api/approval.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aStory } from "./story.ts";

export const asking = (required = 1, more: Partial<ApprovalRules> = {}): ApprovalRules => ({
  required,
  planExpiresAfter: "24h",
  ...more,
});

export const withRules = (approval: ApprovalRules) => anEnvironment([aComponent("network")], { spec: { approval } });

/** One component, whose first plan waits for one person. */
export function aWaitingStory(environment = withRules(asking())) {
  const story = aStory(environment);
  story.round();
  story.hold("network");
  return story;
}
