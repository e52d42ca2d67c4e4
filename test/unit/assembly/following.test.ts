import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { createFollowing } from "../../../operator/assembly/following.ts";
import type { FollowedSource } from "../../../operator/environment/observation.ts";
import type { Follower, SourceRef } from "../../../operator/resolver/follower.ts";
import { anEnvironment } from "../../fakes/objects.ts";

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
    for (const source of alone) assert.deepEqual(following.revisionOf(source), { state: "unfollowed" });
  });

  it("follows a private source with the credentials that a runner used last", () => {
    const { follower, wanted } = aFollower();
    const credentials = { username: "u", password: "p" };
    const source = followed({ secretRef: { name: "login" } }, { credentials });
    const following = createFollowing(follower);
    following.follow(anEnvironment([]), [source]);
    assert.deepEqual(wanted[0]?.credentials, credentials);
    assert.deepEqual(following.revisionOf(source), { state: "known", revision: "abc" });
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

  it("forgets an Environment with all that it wanted", () => {
    const { follower, calls } = aFollower();
    createFollowing(follower).stop("team", "shop");
    assert.deepEqual(calls, ["forget team/shop"]);
  });

  it("knows a commit without asking, also where there is no resolver", () => {
    const following = createFollowing(undefined);
    const commit = "0".repeat(40);
    assert.deepEqual(following.revisionOf(followed({ ref: { commit } })), { state: "known", revision: commit });
    assert.deepEqual(following.revisionOf(followed()), { state: "unfollowed" });
    following.follow(anEnvironment([]), [followed()]);
    following.stop("team", "shop");
  });
});
