import assert from "node:assert/strict";
import { GitError } from "../../../operator/source/git.ts";
import { settle } from "../loop/fake-clock.ts";
import { A, aSource, aStory, unauthorized } from "./followed.ts";

describe("createFollower when it fails", () => {
  it("says so at once, keeps what was known, and tries less and less often", async () => {
    const { clock, follower, askedAt, moved, becomes } = aStory(() => A);
    follower.want("shop", aSource());
    await settle();
    becomes(() => unauthorized);
    await clock.advance(60_000);
    assert.deepEqual(follower.revision(aSource()), {
      state: "failed",
      reason: "GitUnauthorized",
      message: unauthorized.message,
      lastRevision: A,
    });
    await clock.advance(1_500_000);
    const pauses = askedAt().map((at, i, all) => at - (all[i - 1] ?? 0));
    assert.deepEqual(pauses.slice(2, 10), [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
    assert.deepEqual(moved, ["shop", "shop"]);
  });

  it("says nothing of a revision that never was", async () => {
    const { follower } = aStory(() => new Error("out of luck"));
    follower.want("shop", aSource());
    await settle();
    assert.deepEqual(follower.revision(aSource()), { state: "failed", reason: "GitFailed", message: "out of luck" });
  });

  it("tells when it is well again, and returns to the interval", async () => {
    const { clock, follower, askedAt, moved, becomes } = aStory(() => unauthorized);
    follower.want("shop", aSource());
    await clock.advance(10_000);
    becomes(() => A);
    await clock.advance(80_000);
    assert.deepEqual(askedAt(), [0, 10_000, 30_000, 90_000]);
    assert.deepEqual(moved, ["shop", "shop"]);
  });

  it("tells when the reason changes", async () => {
    const { clock, follower, moved, becomes } = aStory(() => unauthorized);
    follower.want("shop", aSource());
    await settle();
    becomes(() => new GitError("GitRefNotFound", "no branch main"));
    await clock.advance(10_000);
    assert.deepEqual(moved, ["shop", "shop"]);
  });
});
