import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { declare, diamond } from "./declared.ts";
import { aStory } from "./story.ts";

describe("A removed component", () => {
  const removing = () => {
    const story = aStory(diamond());
    story.settle();
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, components: [aComponent("network")] },
    }));
    return story;
  };

  it("is not destroyed before a person confirms it", () => {
    const story = removing();
    const before = story.started.length;
    story.round();
    assert.equal(story.started.length, before);
    assert.equal(story.verdict("app").reason, "RemovalNeedsConfirmation");
    assert.match(story.verdict("app").message, /annotate the Environment with terrarium.dev\/confirm-destroy=app/);
  });

  it("is destroyed after what depends on it", () => {
    const story = removing();
    const before = story.started.length;
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "app, database, cache" });
    story.round();
    assert.deepEqual(story.started.slice(before), ["Destroy app #2"]);
    story.settle();
    assert.deepEqual([...story.records.keys()], ["network"]);
  });

  it("does not wait for what has ceased to name it, where that is applied as it is declared", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b", { needs: ["a"] })]));
    story.settle();
    declare(story, aComponent("b"));
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Apply b #1", "Destroy a #2"]);
  });

  it("waits for what has ceased to name it until that is applied as it is declared", () => {
    const git = { url: "https://example.com/shop.git", ref: { branch: "main" }, interval: "5m" };
    const story = aStory(
      anEnvironment([aComponent("a"), aComponent("b", { needs: ["a"] })], { spec: { source: { git } } }),
    );
    story.sourceAt({ state: "known", revision: "a".repeat(40) });
    story.settle();
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
    story.sourceAt({ state: "known", revision: "b".repeat(40) });
    declare(story, aComponent("b"));
    story.round();
    assert.equal(story.verdict("a").message, "is destroyed after b");
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Apply b #2", "Destroy a #2"]);
  });

  it("waits for what has ceased to name it until an apply of that which failed half way is made good", () => {
    const story = aStory(anEnvironment([aComponent("a"), aComponent("b", { needs: ["a"] })]));
    story.settle();
    declare(story, aComponent("a"), aComponent("b", { needs: ["a"], terraform: { path: "other" } }));
    story.round();
    story.end("b", "Failed", { reason: "ApplyFailed", retry: "Backoff" });
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "a" });
    declare(story, aComponent("b"));
    assert.equal(story.verdict("a").message, "is destroyed after b");
    story.settle();
    assert.deepEqual(story.started.slice(2), ["Apply b #2", "Apply b #3", "Destroy a #2"]);
  });

  it("keeps its objects when its policy was Retain", () => {
    const story = aStory(anEnvironment([aComponent("a", { deletionPolicy: "Retain" }), aComponent("b")]));
    story.settle();
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, components: [aComponent("b")] },
      status: { observedGeneration: 1, components: [{ name: "a", state: "Ready", deletionPolicy: "Retain" }] },
    }));
    story.settle();
    assert.equal(story.records.get("a")?.ownership, "Released");
    assert.ok(!story.started.some((line) => line.startsWith("Destroy")));
  });

  it("is destroyed where Retain was taken off its declaration, although its status remembers that still", () => {
    const story = aStory(anEnvironment([aComponent("a", { deletionPolicy: "Retain" })]));
    story.settle();
    story.report();
    declare(story, aComponent("a"));
    story.delete();
    story.settle();
    assert.deepEqual(story.started, ["Apply a #1", "Destroy a #2"]);
    assert.equal(story.decision().type, "letGo");
  });

  it("is not destroyed but renamed when another names it as its former name", () => {
    const story = aStory(anEnvironment([aComponent("net")]));
    story.settle();
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, components: [aComponent("network", { formerName: "net" })] },
    }));
    story.settle();
    assert.deepEqual([...story.records.keys()], ["network"]);
    assert.deepEqual(story.started, ["Apply net #1"], "moving a state is no change of what is applied");
  });

  it("leaves its name free: another component may take it", () => {
    const story = aStory(anEnvironment([aComponent("net")]));
    story.settle();
    const renamed = aComponent("network", { formerName: "net" });
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, components: [renamed] } }));
    story.settle();
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, components: [aComponent("network"), aComponent("net")] },
    }));
    story.pass(3_600_000);
    story.settle();
    assert.deepEqual(story.started, ["Apply net #1", "Apply net #2"]);
    assert.equal(story.verdict("net").state, "Ready");
  });

  it("may get a name that another had, which was destroyed: what is applied stays applied", () => {
    const story = aStory(anEnvironment([aComponent("network"), aComponent("net")]));
    story.settle();
    declare(story, aComponent("net"));
    story.annotate({ [ANNOTATIONS.confirmDestroy]: "network" });
    story.settle();
    assert.equal(story.started.at(-1), "Destroy network #2");
    story.pass(3_600_000);
    declare(story, aComponent("network", { formerName: "net" }));
    story.round();
    story.settle();
    assert.equal(story.started.at(-1), "Destroy network #2");
    assert.equal(story.verdict("network").state, "Ready");
  });
});
