import assert from "node:assert/strict";
import { settle } from "../loop/fake-clock.ts";
import { A, aSource, aStory } from "./followed.ts";

describe("createFollower forgets", () => {
  it("what nobody wants any more, and ends what is being asked", async () => {
    const { clock, follower, asked, moved } = aStory(() => new Promise<string>(() => {}));
    follower.want("shop", aSource());
    follower.want("blog", aSource());
    await settle();
    follower.forget("shop");
    assert.equal(asked[0]?.signal.aborted, false);
    follower.forget("blog");
    assert.equal(asked[0]?.signal.aborted, true);
    await clock.advance(600_000);
    assert.equal(asked.length, 1);
    assert.deepEqual(moved, []);
    assert.equal(clock.pending(), 0);
  });

  it("old credentials when there are new ones", async () => {
    const { clock, follower, asked } = aStory(() => A);
    follower.want("shop", aSource({ credentials: { token: "old" } }));
    await settle();
    const renewed = aSource({ credentials: { token: "new" } });
    follower.want("shop", renewed);
    follower.retain("shop", [renewed]);
    await clock.advance(60_000);
    assert.deepEqual(
      asked.map(({ question }) => question.credentials?.token),
      ["old", "new", "new"],
    );
    assert.equal(clock.pending(), 1);
  });

  it("refs that are not retained", async () => {
    const { clock, follower, asked } = aStory(() => A);
    follower.want("shop", aSource({ ref: { branch: "one" } }));
    follower.want("shop", aSource({ ref: { branch: "two" } }));
    await settle();
    follower.retain("shop", [aSource({ ref: { branch: "two" } })]);
    await clock.advance(60_000);
    assert.deepEqual(
      asked.map(({ question }) => question.ref?.branch),
      ["one", "two", "two"],
    );
    assert.deepEqual(follower.revision(aSource({ ref: { branch: "one" } })), { state: "pending" });
  });

  it("everything when it stops", async () => {
    const { clock, follower, asked } = aStory(() => A);
    follower.want("shop", aSource());
    await settle();
    follower.stop();
    await clock.advance(600_000);
    assert.equal(asked.length, 1);
    assert.equal(clock.pending(), 0);
  });
});
