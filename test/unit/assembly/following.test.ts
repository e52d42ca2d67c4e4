import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { createFollowing } from "../../../operator/assembly/following.ts";
import type { FollowedSource } from "../../../operator/environment/observation.ts";
import type { Follower, SourceRef } from "../../../operator/resolver/follower.ts";
import { anEnvironment } from "../../fakes/objects.ts";
import { settle } from "../loop/fake-clock.ts";

const url = "https://git.example.com/infra.git";
type Git = NonNullable<FollowedSource["source"]["git"]>;

function followed(git: Partial<Git> = {}, more: Partial<FollowedSource> = {}): FollowedSource {
  return {
    source: { git: { url, interval: "5m", ...git } },
    credentials: undefined,
    usesOwnCa: false,
    paths: [],
    ...more,
  };
}

function aFollower() {
  const calls: string[] = [];
  const wanted: SourceRef[] = [];
  const follower: Follower = {
    want(key, source) {
      calls.push(`want ${key}`);
      wanted.push(source);
    },
    retain: (key, sources) => void calls.push(`retain ${key} ${sources.length}`),
    forget: (key) => void calls.push(`forget ${key}`),
    revision: () => ({ state: "known", revision: "abc" }) as never,
    refresh: async (key) => void calls.push(`refresh ${key}`),
    stop: () => {},
  };
  return { follower, calls, wanted };
}

const requested = (value: string) =>
  anEnvironment([], { metadata: { annotations: { [ANNOTATIONS.requestedAt]: value } } });

describe("Following the git sources of Environments", () => {
  it("asks for each source, and drops the others", () => {
    const { follower, calls, wanted } = aFollower();
    createFollowing(follower).follow(anEnvironment([]), [followed(), followed({ ref: { branch: "next" } })]);
    assert.deepEqual(calls, ["want team/shop", "want team/shop", "retain team/shop 2"]);
    assert.deepEqual(wanted[0], { url, intervalMs: 300_000 });
    assert.deepEqual(wanted[1]?.ref, { branch: "next" });
  });

  it("asks for what the watched paths hold, where there are any", () => {
    const { follower, wanted } = aFollower();
    createFollowing(follower).follow(anEnvironment([]), [followed({}, { paths: ["live/net", "modules"] })]);
    assert.deepEqual(wanted[0]?.paths, ["live/net", "modules"]);
  });

  it("leaves to the runner what only the runner can reach", () => {
    const { follower, wanted } = aFollower();
    const following = createFollowing(follower);
    const alone = [
      followed({ secretRef: { name: "login" } }),
      followed({}, { usesOwnCa: true }),
      followed({}, { source: { inline: { "main.tf": "" } } }),
    ];
    following.follow(anEnvironment([]), alone);
    assert.deepEqual(wanted, []);
    for (const source of alone)
      assert.deepEqual(following.revisionOf(anEnvironment([]), source), { state: "unfollowed" });
  });

  it("follows a private source with the credentials that a runner used last", () => {
    const { follower, wanted } = aFollower();
    const credentials = { username: "u", password: "p" };
    const source = followed({ secretRef: { name: "login" } }, { credentials });
    const following = createFollowing(follower);
    following.follow(anEnvironment([]), [source]);
    assert.deepEqual(wanted[0]?.credentials, credentials);
    assert.deepEqual(following.revisionOf(anEnvironment([]), source), { state: "known", revision: "abc" });
  });

  it("looks again at once for each new request, and once for each", () => {
    const { follower, calls } = aFollower();
    const following = createFollowing(follower);
    const refreshes = () => calls.filter((call) => call.startsWith("refresh")).length;
    following.follow(requested("first"), [followed()]);
    following.follow(requested("first"), [followed()]);
    assert.equal(refreshes(), 1);
    following.follow(requested("second"), [followed()]);
    assert.equal(refreshes(), 2);
  });

  it("knows nothing from a request until the look that it asked for is over, and tells then, also without news", async () => {
    const looked: string[] = [];
    const look = Promise.withResolvers<void>();
    const follower = { ...aFollower().follower, refresh: () => look.promise };
    const following = createFollowing(follower, (key) => void looked.push(key));
    const seen = () => following.revisionOf(requested("now"), followed()).state;
    following.follow(anEnvironment([]), [followed()]);
    assert.equal(seen(), "known");
    following.follow(requested("now"), [followed()]);
    assert.deepEqual([seen(), looked], ["pending", []]);
    look.resolve();
    await settle();
    following.follow(requested("now"), [followed()]);
    assert.deepEqual([seen(), looked], ["known", ["team/shop"]]);
  });

  it("waits for the look of the newest request", async () => {
    const looks = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const left = [...looks];
    const follower = { ...aFollower().follower, refresh: async () => left.shift()?.promise };
    const following = createFollowing(follower);
    const seen = () => following.revisionOf(requested("second"), followed()).state;
    for (const request of ["first", "second"]) following.follow(requested(request), [followed()]);
    looks[0].resolve();
    await settle();
    assert.equal(seen(), "pending");
    looks[1].resolve();
    await settle();
    assert.equal(seen(), "known");
  });

  it("does not wait for the look of a request that was handled before the operator was restarted", () => {
    const follower = { ...aFollower().follower, refresh: () => new Promise<void>(() => {}) };
    const following = createFollowing(follower);
    const handled = { ...requested("old"), status: { handledRequest: "old" } } as Environment;
    following.follow(handled, [followed()]);
    assert.equal(following.revisionOf(handled, followed()).state, "known");
  });

  it("forgets an Environment with all that it wanted", () => {
    const { follower, calls } = aFollower();
    createFollowing(follower).stop("team", "shop");
    assert.deepEqual(calls, ["forget team/shop"]);
  });

  it("knows a commit without asking, also where there is no resolver", () => {
    const following = createFollowing(undefined);
    const commit = "0".repeat(40);
    assert.deepEqual(following.revisionOf(anEnvironment([]), followed({ ref: { commit } })), {
      state: "known",
      revision: commit,
    });
    assert.deepEqual(following.revisionOf(anEnvironment([]), followed()), { state: "unfollowed" });
    following.follow(anEnvironment([]), [followed()]);
    following.stop("team", "shop");
  });
});
