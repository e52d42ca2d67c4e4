import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { watchedPaths } from "../../../operator/environment/watch.ts";
import { contentsOf, type PathContents, resolveRef } from "../../../operator/source/git.ts";
import { aComponent, anEnvironment } from "../../fakes/objects.ts";
import { aRepository, type GitServer, type Repository, startGitServer } from "../source/git-server.ts";
import { aStory } from "./story.ts";

const source = (watch?: readonly string[]) => ({
  git: { url: "https://git.example.com/x.git", interval: "5m", ...(watch === undefined ? {} : { watch: [...watch] }) },
});
const at = (name: string, path: string, more: object = {}) => aComponent(name, { terraform: { path, ...more } });

const shop = (watch?: readonly string[]): Environment =>
  anEnvironment([at("net", "live/net"), at("db", "live/db")], { spec: { source: source(watch) } });

const tree = (changes: PathContents = {}) => ({ "live/net": "n1", "live/db": "d1", modules: "m1", ...changes });
const commit = (letter: string) => letter.repeat(40);

/** Both are applied at the first commit. */
function applied(watch: readonly string[] | undefined) {
  const story = aStory(shop(watch));
  story.sourceAt({ state: "known", revision: commit("a"), contents: tree() });
  story.settle();
  story.started.splice(0);
  return story;
}

const statesOf = (story: ReturnType<typeof aStory>) =>
  ["net", "db"].map((name) => [story.verdict(name).state, story.verdict(name).satisfied]);

describe("A branch that moves", () => {
  it("makes a plan for every component where nothing says what matters", () => {
    const story = applied(undefined);
    story.sourceAt({ state: "known", revision: commit("b"), contents: tree() });
    story.settle();
    assert.deepEqual(story.started, ["Apply net #2", "Apply db #2"]);
  });

  it("makes none where the commit changes nothing that is watched", () => {
    const story = applied(["modules"]);
    story.sourceAt({ state: "known", revision: commit("b"), contents: tree() });
    story.settle();
    assert.deepEqual(story.started, []);
    assert.deepEqual(statesOf(story), [
      ["Ready", true],
      ["Ready", true],
    ]);
  });

  it("makes one for the component whose own folder changed, and none for the others", () => {
    const story = applied([]);
    story.sourceAt({ state: "known", revision: commit("b"), contents: tree({ "live/db": "d2", modules: "m2" }) });
    story.settle();
    assert.deepEqual(story.started, ["Apply db #2"]);
  });

  it("makes one for all when a watched folder changed or went", () => {
    const { modules: _gone, ...without } = tree();
    for (const contents of [tree({ modules: "m2" }), without]) {
      const story = applied(["modules"]);
      story.sourceAt({ state: "known", revision: commit("b"), contents });
      story.settle();
      assert.deepEqual(story.started, ["Apply net #2", "Apply db #2"]);
    }
  });

  it("leaves things as they are while it cannot be looked up, and before the first look after a restart", () => {
    for (const seen of [
      { state: "failed", reason: "GitHostUnknown", message: "away" },
      { state: "pending" },
      { state: "unfollowed" },
    ] as const) {
      const story = applied(["modules"]);
      story.sourceAt(seen);
      story.settle();
      assert.deepEqual(story.started, [], seen.state);
      assert.equal(story.verdict("net").satisfied, true, seen.state);
    }
  });

  it("does not void a plan of the newest commit, which only its pod could look up, although that holds what was applied", () => {
    const story = applied(["modules"]);
    story.edit(({ spec, ...environment }) => ({
      ...environment,
      spec: { ...spec, approval: { required: 1, planExpiresAfter: "24h" }, variables: [{ name: "size", value: 2 }] },
    }));
    story.sourceAt({ state: "unfollowed" });
    story.round();
    story.hold("net", { revision: commit("b") });
    story.sourceAt({ state: "known", revision: commit("b"), contents: tree() });
    story.round();
    assert.deepEqual(story.superseded, []);
    story.sourceAt({ state: "known", revision: commit("c"), contents: tree({ modules: "m2" }) });
    story.round();
    assert.deepEqual(story.superseded, [`the source moved from ${"b".repeat(12)} to ${"c".repeat(12)}`]);
  });

  it("makes none when its contents become known after a runner had looked the commit up", () => {
    const story = aStory(shop(["modules"]));
    story.sourceAt({ state: "known", revision: commit("a") });
    story.settle();
    story.started.splice(0);
    story.sourceAt({ state: "known", revision: commit("a"), contents: tree() });
    story.settle();
    assert.deepEqual(story.started, []);
  });

  it("is fetched at its newest commit by a Run that something else makes, and is not its cause", () => {
    const story = applied([]);
    story.sourceAt({ state: "known", revision: commit("b"), contents: tree() });
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, variables: [{ name: "size", value: 2 }] },
    }));
    story.round();
    for (const { spec } of story.openRuns()) {
      assert.equal(spec.inputs.revision, commit("b"));
      assert.equal(spec.cause.type, "SpecChanged");
    }
    story.settle();
    assert.deepEqual(story.started, ["Apply net #2", "Apply db #2"]);
  });

  it("makes no plan when somebody says for the first time what matters", () => {
    const story = applied(undefined);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, source: source(["modules"]) } }));
    story.settle();
    assert.deepEqual(story.started, []);
  });

  it("tells a Run which commit it is of, and what that holds", () => {
    const story = applied([]);
    story.sourceAt({ state: "known", revision: commit("b"), contents: tree({ "live/net": "n2" }) });
    story.round();
    const [run] = story.openRuns();
    assert.deepEqual([run?.spec.component, run?.spec.inputs.revision], ["net", commit("b")]);
    assert.notEqual(run?.spec.inputs.content, story.records.get("net")?.applied?.inputs.content);
  });
});

describe("A plan that waits for approval", () => {
  const waiting = (watch: readonly string[] | undefined) => {
    const story = aStory(shop(watch));
    story.edit((environment) => ({
      ...environment,
      spec: { ...environment.spec, approval: { required: 1, planExpiresAfter: "24h" } },
    }));
    story.sourceAt({ state: "known", revision: commit("a"), contents: tree() });
    story.round();
    story.hold("net");
    return story;
  };

  it("goes on waiting when a commit changes nothing that matters to it", () => {
    const story = waiting(["modules"]);
    for (const letter of ["b", "c"]) {
      story.sourceAt({ state: "known", revision: commit(letter), contents: tree({ "live/db": `d of ${letter}` }) });
      assert.equal(story.verdict("net").state, "AwaitingApproval");
    }
  });

  it("is void when a commit changes something that does, or when nothing says what that is", () => {
    const touched = waiting(["modules"]);
    touched.sourceAt({ state: "known", revision: commit("b"), contents: tree({ modules: "m2" }) });
    assert.equal(touched.verdict("net").reason, "Superseded");
    const unsaid = waiting(undefined);
    unsaid.sourceAt({ state: "known", revision: commit("b"), contents: tree() });
    assert.equal(unsaid.verdict("net").reason, "Superseded");
  });
});

describe("A commit that changes nothing that matters", () => {
  const ALL = { source: source(["modules"]) };

  it("asks for no other plan after a no, also where it is the commit that carries it", () => {
    const story = applied(["modules"]);
    const approval = { required: 1, planExpiresAfter: "24h" };
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...ALL, approval } }));
    story.sourceAt({ state: "known", revision: commit("b"), contents: tree({ "live/net": "n2" }) });
    story.round();
    story.hold("net");
    story.sourceAt({ state: "known", revision: commit("c"), contents: tree({ "live/net": "n2" }) });
    story.end("net", "Cancelled", { reason: "Rejected", message: "jane rejected the plan" });
    story.round();
    assert.deepEqual([story.started, story.verdict("net").reason], [["Apply net #2"], "Rejected"]);
    story.sourceAt({ state: "known", revision: commit("d"), contents: tree({ "live/net": "n3" }) });
    story.round();
    assert.deepEqual(story.started, ["Apply net #2", "Apply net #3"]);
  });

  it("gives no further tries to what failed, and the try that ends well is of the newest commit", () => {
    const story = applied(["modules"]);
    story.edit((environment) => ({ ...environment, spec: { ...environment.spec, ...ALL, retry: { limit: 1 } } }));
    const contents = tree({ "live/net": "n2" });
    for (const letter of ["b", "c", "d", "e"]) {
      story.sourceAt({ state: "known", revision: commit(letter), contents });
      story.round();
      if (story.openRuns().length > 0) story.end("net", "Failed", { reason: "ApplyFailed" });
      story.pass(15_000);
    }
    assert.deepEqual([story.started.length, story.verdict("net").reason], [2, "RetriesExhausted"]);
    story.annotate({ "terrarium.dev/requestedAt": "now" });
    story.settle();
    assert.equal(story.records.get("net")?.applied?.revision, commit("e"));
    assert.equal(story.verdict("net").state, "Ready");
  });
});

describe("The paths that are looked up together", () => {
  it("are those of all components of the repository and ref that say what matters", () => {
    const { spec } = anEnvironment(
      [
        at("net", "live/net"),
        at("db", "live/db", { source: source(["sql"]) }),
        at("all", "live/all", { source: source(undefined) }),
        at("other", "live/other", {
          source: { git: { url: "https://git.example.com/y.git", interval: "5m", watch: [] } },
        }),
      ],
      { spec: { source: source(["modules"]) } },
    );
    assert.deepEqual(watchedPaths(spec, source()), ["live/db", "live/net", "modules", "sql"]);
    assert.deepEqual(watchedPaths(spec, { git: { url: "https://git.example.com/y.git", interval: "5m" } }), [
      "live/other",
    ]);
    assert.deepEqual(watchedPaths(spec, { inline: { "main.tf": "" } }), []);
  });

  it("are the same whether the branch main is named or not, and those of no commit", () => {
    const of = (ref: object) => ({ git: { url: "https://git.example.com/x.git", interval: "5m", watch: [], ...ref } });
    const main = of({ ref: { branch: "main" } });
    const commit = of({ ref: { commit: "c".repeat(40) } });
    const components = [
      at("net", "live/net", { source: of({}) }),
      at("db", "live/db", { source: main }),
      at("old", "live/old", { source: commit }),
    ];
    const { spec } = anEnvironment(components);
    for (const source of [of({}), main]) assert.deepEqual(watchedPaths(spec, source), ["live/db", "live/net"]);
    assert.deepEqual(watchedPaths(spec, commit), ["live/old"]);
  });
});

describe("A repository that holds modules, manifests and approvals", () => {
  let repository: Repository;
  let server: GitServer;
  before(async () => {
    repository = await aRepository();
    server = await startGitServer(repository.root);
  });
  after(async () => {
    await server.close();
    await repository.remove();
  });

  /** What the resolver would say of the branch now. */
  async function look(environment: Environment) {
    const access = { url: `${server.url}/modules.git`, timeoutMs: 10_000, signal: new AbortController().signal };
    const { revision } = await resolveRef(access);
    const paths = watchedPaths(environment.spec, environment.spec.source ?? {});
    return { state: "known", revision, contents: await contentsOf({ ...access, revision, paths }) } as const;
  }

  it("gets no new plan by a commit that approves one, nor by one of the manifest's words, and one by a module's", async () => {
    const modules = { "live/net/main.tf": "# net", "live/db/main.tf": "# db", "modules/vpc/main.tf": "# vpc" };
    const manifests = { "clusters/shop.yaml": "kind: Environment" };
    const story = aStory(shop(["modules"]));
    const follow = async () => {
      story.sourceAt(await look(story.environment()));
      story.round();
    };
    await repository.commit("main", { ...modules, ...manifests });
    await follow();
    assert.deepEqual(story.started, ["Apply net #1", "Apply db #1"]);
    const waiting = story.hold("net");

    const approvals = { "clusters/approvals/net.yaml": "kind: Approval" };
    await repository.commit("main", { ...modules, ...manifests, ...approvals });
    await follow();
    assert.deepEqual([story.openRuns()[0], story.superseded], [waiting, []], "the plan waits on");
    story.settle();
    await repository.commit("main", { ...modules, "clusters/shop.yaml": "kind: Environment # reviewed", ...approvals });
    await follow();
    assert.deepEqual(story.started, ["Apply net #1", "Apply db #1"]);

    await repository.commit("main", { ...modules, "modules/vpc/main.tf": "# wider", ...manifests });
    await follow();
    assert.deepEqual(story.started.slice(2), ["Apply net #2", "Apply db #2"]);
  });
});
