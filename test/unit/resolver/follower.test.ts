import assert from "node:assert/strict";
import { createFollower } from "../../../operator/resolver/follower.ts";
import type { ResolveRequest } from "../../../operator/resolver/protocol.ts";
import { fakeClock, settle } from "../loop/fake-clock.ts";
import { A, aSource, aStory, B, unauthorized } from "./followed.ts";

describe("createFollower", () => {
  it("asks at once, tells when the answer is there, and then at the interval", async () => {
    const { clock, follower, askedAt, moved } = aStory(() => A);
    follower.want("shop", aSource());
    assert.deepEqual(follower.revision(aSource()), { state: "pending" });
    await settle();
    assert.deepEqual(follower.revision(aSource()), { state: "known", revision: A, at: clock.now() });
    await clock.advance(120_000);
    assert.deepEqual(askedAt(), [0, 60_000, 120_000]);
    assert.deepEqual(moved, ["shop"]);
  });

  it("tells of a moved branch, and of nothing else", async () => {
    const { clock, follower, moved, becomes } = aStory(() => A);
    follower.want("shop", aSource());
    await clock.advance(180_000);
    becomes(() => B);
    await clock.advance(60_000);
    assert.equal((follower.revision(aSource()) as { revision: string }).revision, B);
    assert.deepEqual(moved, ["shop", "shop"]);
  });

  it("asks once for all who want the same, at the shortest interval", async () => {
    const { clock, follower, askedAt, moved } = aStory(() => A);
    follower.want("shop", aSource({ intervalMs: 300_000 }));
    follower.want("blog", aSource({ intervalMs: 20_000 }));
    follower.want("wiki", aSource({ ref: undefined }));
    await clock.advance(40_000);
    assert.deepEqual(askedAt(), [0, 20_000, 40_000]);
    assert.deepEqual(moved, ["shop", "blog", "wiki"]);
  });

  it("does not wait for the long interval when somebody wants it shorter later", async () => {
    const { clock, follower, askedAt } = aStory(() => A);
    follower.want("shop", aSource({ intervalMs: 300_000 }));
    await clock.advance(100_000);
    follower.want("blog", aSource({ intervalMs: 20_000 }));
    follower.want("blog", aSource({ intervalMs: 20_000 }));
    await clock.advance(20_000);
    assert.deepEqual(askedAt(), [0, 120_000]);
    follower.forget("blog");
    await clock.advance(320_000);
    assert.deepEqual(askedAt(), [0, 120_000, 140_000, 440_000]);
  });

  it("being wanted again and again changes nothing", async () => {
    const { clock, follower, askedAt } = aStory(() => A);
    for (let i = 0; i < 12; i += 1) {
      follower.want("shop", aSource());
      await clock.advance(10_000);
    }
    assert.deepEqual(askedAt(), [0, 60_000, 120_000]);
  });

  it("keeps to ten per cent around the interval", async () => {
    for (const [random, expected] of [
      [0, 54_000],
      [1, 66_000],
    ] as const) {
      const clock = fakeClock();
      const asked: number[] = [];
      const follower = createFollower({
        clock,
        random: () => random,
        onMoved: () => {},
        resolve: async () => {
          asked.push(clock.monotonicMs());
          return { revision: A };
        },
      });
      follower.want("shop", aSource());
      await clock.advance(70_000);
      assert.deepEqual(asked, [0, expected]);
    }
  });

  it("asks for what watched paths hold once for each commit, and keeps it", async () => {
    const clock = fakeClock();
    const asked: ResolveRequest[] = [];
    const moved: string[] = [];
    let revision = A;
    const follower = createFollower({
      clock,
      random: () => 0.5,
      onMoved: (key) => moved.push(key),
      async resolve(question) {
        asked.push(question);
        return question.known === revision ? { revision } : { revision, contents: { live: `tree of ${revision[0]}` } };
      },
    });
    const source = aSource({ paths: ["live"] });
    follower.want("shop", source);
    await clock.advance(60_000);
    assert.deepEqual(
      asked.map(({ known, paths }) => [known, paths]),
      [
        [undefined, ["live"]],
        [A, ["live"]],
      ],
    );
    assert.deepEqual(follower.revision(source), {
      state: "known",
      revision: A,
      contents: { live: "tree of a" },
      at: clock.now(),
    });
    revision = B;
    await clock.advance(60_000);
    assert.deepEqual((follower.revision(source) as { contents?: unknown }).contents, { live: "tree of b" });
    assert.deepEqual(moved, ["shop", "shop"]);
  });

  it("does not give one Environment's answer to another one's credentials", async () => {
    const { follower, asked } = aStory(({ credentials }) => (credentials?.token === "good" ? A : unauthorized));
    const [good, bad] = [aSource({ credentials: { token: "good" } }), aSource({ credentials: { token: "bad" } })];
    follower.want("shop", good);
    follower.want("thief", bad);
    follower.want("nobody", aSource());
    await settle();
    assert.equal(asked.length, 3);
    assert.equal(follower.revision(good).state, "known");
    assert.equal(follower.revision(bad).state, "failed");
    assert.equal(follower.revision(aSource()).state, "failed");
  });

  it("serves an Environment that wants one ref both with credentials and without: neither ends the other", async () => {
    const { clock, follower, asked, moved } = aStory(() => A);
    const sources = [aSource({ credentials: { token: "good" } }), aSource()];
    for (let round = 0; round < 3; round += 1) {
      for (const source of sources) follower.want("shop", source);
      follower.retain("shop", sources);
      await settle();
    }
    assert.deepEqual([asked.length, moved.length], [2, 2]);
    for (const source of sources) assert.equal(follower.revision(source).state, "known");
    follower.forget("shop");
    assert.equal(clock.pending(), 0);
  });

  it("knows a commit without asking", async () => {
    const { clock, follower, asked } = aStory(() => A);
    const source = aSource({ ref: { commit: B } });
    follower.want("shop", source);
    await clock.advance(600_000);
    assert.deepEqual(follower.revision(source), { state: "known", revision: B, at: clock.now() });
    assert.deepEqual(asked, []);
  });

  describe("refresh", () => {
    it("asks now and starts the interval anew", async () => {
      const { clock, follower, askedAt, becomes } = aStory(() => A);
      follower.want("shop", aSource());
      await clock.advance(30_000);
      becomes(() => B);
      await follower.refresh("shop");
      assert.equal((follower.revision(aSource()) as { revision: string }).revision, B);
      await clock.advance(60_000);
      assert.deepEqual(askedAt(), [0, 30_000, 90_000]);
    });

    it("does not take an answer to a question that was asked before", async () => {
      const first = Promise.withResolvers<string>();
      const { follower, asked, becomes } = aStory(() => first.promise);
      follower.want("shop", aSource());
      await settle();
      becomes(() => B);
      const refreshed = Promise.all([follower.refresh("shop"), follower.refresh("shop")]);
      first.resolve(A);
      await refreshed;
      assert.equal((follower.revision(aSource()) as { revision: string }).revision, B);
      assert.equal(asked.length, 2);
    });

    it("of a stranger is nothing", async () => {
      const { follower, asked } = aStory(() => A);
      await follower.refresh("nobody");
      assert.deepEqual(asked, []);
    });
  });

  it("asks others while one server is away, however many repositories are followed there", async () => {
    const { follower, asked } = aStory(({ url }) => (url.includes("//away.") ? new Promise(() => {}) : A));
    for (let i = 0; i < 40; i += 1) follower.want(`shop-${i}`, aSource({ url: `https://away.example.com/${i}.git` }));
    follower.want("blog", aSource());
    await settle();
    assert.equal(follower.revision(aSource()).state, "known");
    assert.equal(asked.filter(({ question }) => question.url.includes("//away.")).length, 4);
  });

  it("asks only so many questions at once", async () => {
    const answers: ((revision: string) => void)[] = [];
    const { follower, asked } = aStory(() => new Promise<string>((resolve) => answers.push(resolve)), 2);
    for (const host of ["a", "b", "c"]) follower.want("shop", aSource({ url: `https://${host}.example.com/x.git` }));
    await settle();
    assert.equal(asked.length, 2);
    answers[0]?.(A);
    await settle();
    assert.equal(asked.length, 3);
  });
});
