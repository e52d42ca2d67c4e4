import type { Component } from "../../../operator/api/component.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import type { aStory } from "./story.ts";

/** What people declare in stories about decisions. */

export const fromOutput = (component: string, name: string) => ({
  terraform: { path: ".", variables: [{ name: "it", valueFrom: { output: { component, name } } }] },
});

export const diamond = () =>
  anEnvironment([
    aComponent("app", { needs: ["database", "cache"] }),
    aComponent("database", { needs: ["network"] }),
    aComponent("cache", { needs: ["network"] }),
    aComponent("network"),
  ]);

export const declare = (story: ReturnType<typeof aStory>, ...components: readonly Component[]): void =>
  story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [...components] } }));
