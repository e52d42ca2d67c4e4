import assert from "node:assert/strict";
import { approvers, says, untilHeld } from "./support/approvers.ts";
import { anEnvironment } from "./support/environments.ts";
import { following, repository } from "./support/git.ts";
import { journey, journeys, journeyWithEachEngine } from "./support/journey.ts";
import { keeps } from "./support/modules.ts";
import { isReady, lineOf, outputOf } from "./support/place.ts";

const output = { name: "kept", valueFrom: { output: { component: "one", name: "kept" } } };

journeys("sources in git", () => {
  journeyWithEachEngine(
    "a moved branch makes a plan for every component, and an empty plan ends without apply",
    async (place, engine) => {
      const infra = await repository(place, "infra");
      const first = await infra.push({ "one/main.tf": keeps("first"), "two/main.tf": keeps("same") });
      await place.apply(
        anEnvironment({
          name: "git",
          engine,
          source: following(infra),
          components: [
            { name: "one", path: "one" },
            { name: "two", path: "two" },
          ],
          outputs: [output],
        }),
      );
      const ready = await place.untilReady("git");
      assert.equal(lineOf("one")(ready)?.revision, `main@sha1:${first}`);
      assert.equal(outputOf(ready, "kept"), "first");

      const second = await infra.push({ "one/main.tf": keeps("second"), "two/main.tf": keeps("same") });
      // An output is shown as soon as the store has it, which is before the Run that made it is closed: Ready is after both.
      const moved = await place.until(
        "git",
        (one) => outputOf(one, "kept") === "second" && lineOf("two")(one)?.reason === "Unchanged" && isReady(one),
        { about: "to follow the branch" },
      );
      assert.equal(lineOf("one")(moved)?.revision, `main@sha1:${second}`);
      assert.equal(lineOf("two")(moved)?.revision, `main@sha1:${second}`);
      const [, two] = await place.runs("two");
      assert.equal(two?.spec.cause.type, "SourceChanged");
      assert.equal(two?.status?.outcome?.result, "Unchanged");
      assert.equal(two?.status?.applyStartedAt, undefined, "an empty plan is not applied");
      const [, one] = await place.runs("one");
      assert.equal(one?.status?.outcome?.result, "Applied");
      assert.equal((await place.runs()).length, 4);
    },
  );

  journeyWithEachEngine("a tag and a commit are used as they are", async (place, engine) => {
    const infra = await repository(place, "infra");
    const old = await infra.push({ "main.tf": keeps("old") });
    await infra.tag("v1", old);
    const newer = await infra.push({ "main.tf": keeps("new") });
    const pinned = (ref: object) =>
      anEnvironment({
        name: "pinned",
        engine,
        source: following(infra, ref),
        components: [{ name: "one" }],
        outputs: [output],
      });
    await place.apply(pinned({ tag: "v1" }));
    const tagged = await place.untilReady("pinned");
    assert.equal(outputOf(tagged, "kept"), "old");
    assert.equal(lineOf("one")(tagged)?.revision, `v1@sha1:${old}`);

    await place.apply(pinned({ commit: newer }));
    const committed = await place.untilReady("pinned");
    assert.equal(outputOf(committed, "kept"), "new");
    assert.match(lineOf("one")(committed)?.revision ?? "", new RegExp(newer));
  });

  journeyWithEachEngine(
    "a private repository is read, and followed, with the Secret of the source",
    async (place, engine) => {
      const infra = await repository(place, "infra", { "main.tf": keeps("secret recipe") });
      await infra.require({ username: "reader", password: "s3same-0pen-a-while" });
      await place.secret("git-login", { username: "reader", password: "s3same-0pen-a-while" });
      await place.apply(
        anEnvironment({
          name: "private",
          engine,
          source: following(infra, undefined, { secretRef: { name: "git-login" } }),
          components: [{ name: "one" }],
          outputs: [output],
        }),
      );
      const ready = await place.untilReady("private");
      assert.equal(outputOf(ready, "kept"), "secret recipe");
      await infra.push({ "main.tf": keeps("newer recipe") });
      await place.until("private", (one) => outputOf(one, "kept") === "newer recipe", { about: "to follow" });
    },
  );

  journey("a private repository is followed also where every plan waits for a person", async (place) => {
    await approvers(place, "ada");
    const infra = await repository(place, "infra", { "main.tf": keeps("first recipe") });
    await infra.require({ username: "reader", password: "s3same-0pen-a-while" });
    await place.secret("git-login", { username: "reader", password: "s3same-0pen-a-while" });
    const asking = (required: number) =>
      anEnvironment({
        name: "private",
        approval: { required },
        source: following(infra, undefined, { secretRef: { name: "git-login" } }),
        components: [{ name: "one" }],
        outputs: [output],
      });
    await place.apply(asking(1));
    await untilHeld(place, "one");
    const moved = await infra.push({ "main.tf": keeps("second recipe") });
    const voided = await place.untilRunEnds("one", 1);
    assert.match(voided.status?.outcome?.message ?? "", /^the source moved from /);
    const second = await untilHeld(place, "one", 2);
    assert.equal(second.status?.plan?.revision, moved);
    await says(place, "ada", "Approve", second);
    assert.equal(outputOf(await place.untilReady("private"), "kept"), "second recipe");

    await infra.push({ "main.tf": keeps("third recipe") });
    await says(place, "ada", "Approve", await untilHeld(place, "one", 3));
    await place.until("private", (one) => outputOf(one, "kept") === "third recipe" && isReady(one), {
      about: "to follow",
    });
    await place.apply(asking(0));
    await place.untilReady("private");
  });

  journeyWithEachEngine(
    "modules of a private repository come with credentials of the kind Git",
    async (place, engine) => {
      const library = await repository(place, "library", {
        "main.tf": 'output "gift" { value = "from the library" }\n',
      });
      await library.require({ username: "reader", password: "l1brary-card-number" });
      await place.secret("library", { username: "reader", password: "l1brary-card-number" });
      const module = `module "lib" { source = "git::${library.url}" }\noutput "kept" { value = module.lib.gift }\n`;
      await place.apply(
        anEnvironment({
          name: "library",
          engine,
          credentials: [{ name: "library", secretRef: { name: "library" }, as: "Git" }],
          components: [{ name: "one", module }],
          outputs: [output],
        }),
      );
      assert.equal(outputOf(await place.untilReady("library"), "kept"), "from the library");
    },
  );

  journey(
    "each way in which git fails has its reason, and what was applied stays applied",
    async (place) => {
      const infra = await repository(place, "infra", { "main.tf": keeps("applied") });
      const hidden = await repository(place, "hidden", { "main.tf": keeps("hidden") });
      await hidden.require({ username: "reader", password: "s3same-0pen-a-while" });
      await place.secret("wrong", { username: "reader", password: "a-wrong-guess-of-it" });
      const with_ = (source: object, path = ".") =>
        anEnvironment({ name: "git", source, components: [{ name: "one", path }], outputs: [output] });
      await place.apply(with_(following(infra)));
      await place.untilReady("git");

      const nowhere = { git: { url: "http://no-such-host.invalid/infra.git", interval: "10s" } };
      const nothing = { git: { url: infra.url.replace("infra.git", "nothing.git"), interval: "10s" } };
      const expectations = [
        ["GitHostUnknown", with_(nowhere)],
        ["GitRepositoryNotFound", with_(nothing)],
        ["GitRefNotFound", with_(following(infra, { branch: "no-such-branch" }))],
        ["GitUnauthorized", with_(following(hidden))],
        ["GitUnauthorized", with_(following(hidden, undefined, { secretRef: { name: "wrong" } }))],
        ["PathMissing", with_(following(infra), "no/such/folder")],
      ] as const;
      for (const [reason, environment] of expectations) {
        await place.apply(environment);
        const line = await place.untilReason("git", "one", reason);
        assert.notEqual(line.message, undefined);
        assert.doesNotMatch(line.message ?? "", /a-wrong-guess/);
        assert.ok(line.appliedAt, "what was applied stays applied");
        const { status } = await place.environment("git");
        assert.equal(status?.outputs?.find(({ name }) => name === "kept")?.value, "applied");
      }
      await place.apply(with_(following(infra)));
      await place.untilReady("git");
      assert.equal(place.outside.heard.length, 0);
    },
    { within: 240 },
  );

  journey("while the repository is away, what is applied stays Ready, and says so", async (place) => {
    const infra = await repository(place, "infra", { "main.tf": keeps("applied") });
    await place.apply(
      anEnvironment({ name: "away", source: following(infra), components: [{ name: "one" }], outputs: [output] }),
    );
    await place.untilReady("away");
    await infra.remove();
    const line = await place.untilReason("away", "one", "GitRepositoryNotFound");
    assert.equal(line.state, "Ready");
    assert.match(line.message ?? "", /stays applied/);
    const runs = (await place.runs()).length;
    assert.equal(runs, 1, "no Run for a repository that is away");
  });
});
