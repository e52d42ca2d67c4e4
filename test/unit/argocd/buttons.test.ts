import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { customizationOf } from "../../fakes/argo-lua.ts";
import { aComponent, aLifetime, anEnvironment } from "../../fakes/objects.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("Argo CD's button Extend by a day", () => {
  const { action, discovery } = customizationOf("Environment");

  it("is offered for what has an end", async () => {
    const isOffered = async (spec: object) => !(await discovery(anEnvironment([], { spec }))).extend?.disabled;
    assert.equal(await isOffered({}), false);
    assert.equal(await isOffered({ lifetime: { sleep: {} } }), false);
    assert.equal(await isOffered({ lifetime: { ttl: "72h" } }), true);
    assert.equal(await isOffered({ lifetime: { until: "2026-12-31T18:00:00Z" } }), true);
  });

  const extended = async (said: string | undefined) => {
    const annotations = said === undefined ? {} : { [ANNOTATIONS.extendUntil]: said };
    const environment = anEnvironment([aComponent("network")], {
      metadata: { annotations },
      spec: { lifetime: aLifetime() },
    });
    const [answer] = await action("extend", environment);
    assert.ok(answer);
    return (answer.resource as Environment).metadata.annotations?.[ANNOTATIONS.extendUntil] ?? "";
  };

  /** The moment as a clock that is ahead of UTC by so many hours writes it. */
  const written = (atMs: number, hoursAhead: number, end = "Z") =>
    `${new Date(atMs + hoursAhead * HOUR_MS).toISOString().slice(0, 19)}${end}`;
  const fromNow = (ms: number) => Date.now() + ms;

  const kept: readonly (readonly [what: string, said: string])[] = [
    ["in UTC", written(fromNow(2 * DAY_MS), 0)],
    ["with a fraction", written(fromNow(2 * DAY_MS), 0, ".125Z")],
    ["in small letters", written(fromNow(2 * DAY_MS), 0, "z").replace("T", "t")],
    ["by a clock behind UTC", written(fromNow(DAY_MS + HOUR_MS), -8, "-08:00")],
    ["by a clock ahead of UTC", written(fromNow(DAY_MS + HOUR_MS), 5.5, "+05:30")],
    ["by a clock behind UTC with a fraction", written(fromNow(DAY_MS + HOUR_MS), -3.5, ".5-03:30")],
  ];
  for (const [what, said] of kept) {
    it(`keeps a later end that somebody else gave ${what}`, async () => assert.equal(await extended(said), said));
  }

  const replaced: readonly (readonly [what: string, said: string | undefined])[] = [
    ["nothing", undefined],
    ["an end in UTC that is earlier", written(fromNow(DAY_MS - HOUR_MS), 0)],
    ["an earlier end by a clock behind UTC", written(fromNow(DAY_MS - HOUR_MS), -8, "-08:00")],
    ["an earlier end by a clock ahead of UTC", written(fromNow(DAY_MS - HOUR_MS), 14, "+14:00")],
    ["an earlier end with a fraction", written(fromNow(DAY_MS - HOUR_MS), 9, ".25+09:00")],
    ["what is no time", "soon"],
    ["a day without an hour", "2999-01-01"],
    ["a time without a zone", "2999-01-01T00:00:00"],
    ["a time of another shape", "29999999999999999990Z"],
    ["a time with half a zone", "2999-01-01T00:00:00+01"],
    ["an empty text", ""],
  ];
  for (const [what, said] of replaced) {
    it(`puts a day from now in the place of ${what}`, async () => {
      const until = Date.parse(await extended(said));
      assert.ok(Math.abs(until - fromNow(DAY_MS)) < 60_000, new Date(until).toISOString());
    });
  }
});

describe("Argo CD's buttons for a plan that waits", () => {
  const ARGO_CD = "system:serviceaccount:argocd:argocd-server";
  const { action } = customizationOf("Run");
  const word = (decision: "Approve" | "Reject", more: object = {}) => ({ approver: ARGO_CD, decision, ...more });
  const ignored = { ignored: "it is about another plan (the digest differs)" };

  const nameOf = async (button: string, approvals: readonly object[] | undefined) => {
    const metadata = { name: "shop-network-1a2b3c4d", namespace: "team", uid: "run-uid" };
    const status = { phase: "AwaitingApproval", approvals, plan: { digest: `sha256:${"0a".repeat(32)}` } };
    const [answer] = await action(button, { metadata, spec: { environment: { name: "shop" } }, status });
    return (answer?.resource as Environment | undefined)?.metadata.name;
  };

  const names: readonly (readonly [what: string, approvals: readonly object[] | undefined, end: string])[] = [
    ["while nothing was said", undefined, ""],
    ["while what it said counts", [word("Approve"), word("Reject")], ""],
    ["once what it said is ignored", [word("Approve", ignored), word("Reject", ignored)], "-2"],
    [
      "once it is ignored again",
      Array(2)
        .fill([word("Approve", ignored), word("Reject", ignored)])
        .flat(),
      "-3",
    ],
    [
      "where what is ignored was said by others",
      [word("Approve", { ...ignored, approver: "ada" }), word("Reject", { ...ignored, approver: "ada" })],
      "",
    ],
  ];
  for (const [what, approvals, end] of names) {
    it(`give the word a name that ends in ${end || "itself"} ${what}`, async () => {
      for (const button of ["approve", "reject"])
        assert.equal(await nameOf(button, approvals), `shop-network-1a2b3c4d-argocd-${button}${end}`);
    });
  }

  it("do not mistake an ignored no for an ignored yes", async () => {
    assert.equal(await nameOf("approve", [word("Reject", ignored)]), "shop-network-1a2b3c4d-argocd-approve");
    assert.equal(await nameOf("reject", [word("Approve", ignored)]), "shop-network-1a2b3c4d-argocd-reject");
  });
});
