import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import { ANNOTATIONS } from "../../../operator/api/names.ts";
import { found } from "./doctor-found.ts";
import { at, type Lines, shop } from "./shop.ts";

describe("what the doctor tells to do", () => {
  const commands = (environment: Environment) => found(environment).map((one) => one.split(" | ").slice(2));
  const removed = (name: string) => ({ name, state: "Stalled", reason: "RemovalNeedsConfirmation" }) as const;

  function without(names: readonly string[], annotations: Readonly<Record<string, string>> = {}): Environment {
    const environment = shop(Object.fromEntries(names.map((name) => [name, removed(name)])));
    const components = environment.spec.components.filter(({ name }) => !names.includes(name));
    return {
      ...environment,
      metadata: { ...environment.metadata, annotations },
      spec: { ...environment.spec, components },
    };
  }

  it("confirms each component that was removed by its name alone, and says how to mean several", () => {
    const word = (names: string) =>
      `kubectl -n team annotate environment shop terrarium.dev/confirm-destroy=${names} --overwrite`;
    const environment = without(["app", "monitor"]);
    assert.deepEqual(commands(environment), [[word("app")], [word("monitor")]]);
    for (const one of found(environment))
      assert.match(
        one,
        /takes the place of the one before: whoever means all says terrarium\.dev\/confirm-destroy=app,monitor\./,
      );
    assert.doesNotMatch(found(without(["monitor"])).join(), /takes the place/);
    const before = { [ANNOTATIONS.confirmDestroy]: "catalog" };
    assert.match(found(without(["app", "monitor"], before)).join(), /confirm-destroy=catalog,app,monitor\./);
  });

  it("keeps what was confirmed before", () => {
    const before = { [ANNOTATIONS.confirmDestroy]: "catalog" };
    assert.match(commands(without(["monitor"], before))[0]?.[0] ?? "", /confirm-destroy=catalog,monitor /);
    const left = { state: "Stalled", reason: "LeftBehind", interrupted: "shop-app-3" } as const;
    const { metadata, ...environment } = shop({ app: left });
    const annotations = { [ANNOTATIONS.confirmGone]: "shop-database-9" };
    const [command] = commands({ ...environment, metadata: { ...metadata, annotations } });
    assert.match(command?.at(-1) ?? "", /confirm-gone=shop-database-9,shop-app-3 --overwrite$/);
  });

  const cases: readonly (readonly [what: string, line: Lines["app"], commands: readonly string[]])[] = [
    [
      "takes a foreign pod away, which has no log of ours",
      { state: "Planning", reason: "ForeignPod", message: "a pod … has the name shop-app-4-p: delete it" },
      ["kubectl -n team delete pod shop-app-4-p"],
    ],
    ["leaves the operator's rights to who installs it", { state: "Planning", reason: "RightMissing" }, []],
    [
      "proves a death",
      { state: "Applying", reason: "ProofOfDeathMissing" },
      ["kubectl terrarium unlock shop-app-4 -n team"],
    ],
    [
      "moves a state in before its backend is chosen",
      { state: "Failed", reason: "BackendChoiceNeeded", retries: 1 },
      ["kubectl terrarium state push shop app -f FILE -n team"],
    ],
    [
      "confirms a deletion among many",
      { state: "Stalled", reason: "ManyDeletions" },
      ["kubectl -n team annotate environment shop terrarium.dev/confirm-delete=true --overwrite"],
    ],
  ];
  for (const [what, line, expected] of cases)
    it(what, () => {
      assert.deepEqual(commands(shop({ app: { run: "shop-app-4", ...line } }))[0], expected);
    });

  it("resumes what is suspended, also where a plan waits, and where it is approved", () => {
    const approval = { required: 1, given: 0, since: at(3), planDigest: "sha256:p", expiresAt: at(90) };
    const app = { state: "AwaitingApproval", reason: "AwaitingApproval", message: "0 of 1", approval } as const;
    const suspended = (line: NonNullable<Lines["app"]>) => commands(shop({ app: line }, { suspend: true }))[0];
    const resume = "kubectl terrarium resume shop -n team";
    assert.deepEqual(suspended(app)?.at(-1), resume);
    const message = "approved; the apply waits: spec.suspend is true: nothing is begun";
    assert.deepEqual(suspended({ ...app, message, approval: { ...approval, given: 1 } }), [resume]);
  });
});
