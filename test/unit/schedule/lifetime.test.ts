import assert from "node:assert/strict";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { ageOf, isExpired, lifeOf, nextAgeAt, timeOf } from "../../../operator/schedule/lifetime.ts";
import { aLifetime, anEnvironment, T0 } from "../../fakes/objects.ts";

const HOUR_MS = 3_600_000;

describe("A lifetime", () => {
  const lives = (lifetime: ReturnType<typeof aLifetime>, extendUntil?: string) =>
    anEnvironment([], {
      spec: { lifetime },
      metadata: extendUntil === undefined ? {} : { annotations: { [ANNOTATIONS.extendUntil]: extendUntil } },
    });

  it("counts from the creation, or goes until a time", () => {
    assert.equal(lifeOf(lives(aLifetime({ ttl: "3h" })))?.endsAtMs, T0 + 3 * HOUR_MS);
    assert.equal(lifeOf(lives(aLifetime({ until: "2026-01-01T05:00:00+02:00" })))?.endsAtMs, T0 + 3 * HOUR_MS);
    assert.equal(lifeOf(anEnvironment([])), undefined);
  });

  it("is over when its end is past: at once, where it always was", () => {
    const past = lives(aLifetime({ until: "2020-01-01T00:00:00Z" }));
    assert.equal(isExpired(past, T0), true);
    assert.equal(isExpired(lives(aLifetime()), T0 + 24 * HOUR_MS - 1), false);
    assert.equal(isExpired(lives(aLifetime()), T0 + 24 * HOUR_MS), true);
  });

  const extensions: readonly (readonly [what: string, until: string, endsAfterHours: number])[] = [
    ["a later time puts the end off", "2026-01-03T00:00:00Z", 48],
    ["an earlier one does not bring it nearer", "2026-01-01T01:00:00Z", 24],
    ["a time with an offset is read", "2026-01-03T02:00:00+02:00", 48],
    ["a day without a time is none", "2026-01-03", 24],
    ["nonsense is none", "tomorrow", 24],
    ["a day that no calendar has is none", "2026-13-03T00:00:00Z", 24],
  ];
  for (const [what, until, hours] of extensions) {
    it(`is extended by the annotation: ${what}`, () => {
      assert.equal(lifeOf(lives(aLifetime(), until))?.endsAtMs, T0 + hours * HOUR_MS);
    });
  }

  it("knows when it is to be looked at next", () => {
    const life = lifeOf(lives(aLifetime({ warnBefore: "2h" })));
    const ages = [0, 22 * HOUR_MS - 1, 22 * HOUR_MS, 24 * HOUR_MS].map((ms) => [
      ageOf(life, T0 + ms),
      nextAgeAt(life, T0 + ms),
    ]);
    assert.deepEqual(ages, [
      ["lasting", T0 + 22 * HOUR_MS],
      ["lasting", T0 + 22 * HOUR_MS],
      ["expiring", T0 + 24 * HOUR_MS],
      ["expired", undefined],
    ]);
  });

  it("reads times as Kubernetes writes them", () => {
    assert.equal(timeOf("2026-01-01T00:00:00Z"), T0);
    assert.equal(timeOf("2026-01-01T00:00:00.000000Z"), T0);
    for (const text of [undefined, "", "0", "2026", "2026-01-01 00:00:00Z"]) assert.equal(timeOf(text), undefined);
  });
});
