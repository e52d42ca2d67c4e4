import assert from "node:assert/strict";
import { ApiError, ApiUnreachable } from "../../../operator/cluster/errors.ts";
import { COMMANDS } from "../../../plugin/commands.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { applied, world } from "./shop-runs.ts";

describe("kubectl terrarium", () => {
  it("without a command says what there is, and that this was no command", async () => {
    const { code, out } = await world().call();
    assert.equal(code, EXIT.usage);
    for (const { name, hidden } of COMMANDS) assert.equal(out.includes(`  ${name} `), hidden !== true, name);
  });

  for (const { name, options, hidden } of COMMANDS) {
    if (hidden) continue;
    it(`explains ${name} and each of its options without a cluster`, async () => {
      const { call, opened } = world();
      const { code, out } = await call(name, "--help");
      assert.equal(code, EXIT.done);
      assert.match(out, new RegExp(`^Usage: kubectl terrarium ${name}`, "m"));
      for (const option of options) assert.ok(out.includes(`--${option.name}`), option.name);
      assert.deepEqual(opened, []);
    });
  }

  it("refuses what it does not understand, with the usage", async () => {
    const cases: readonly (readonly [args: readonly string[], says: RegExp])[] = [
      [["stat"], /There is no command "stat"/],
      [["status", "shop", "--colour"], /Unknown option '--colour'/],
      [["run"], /run needs ENV\nUsage: kubectl terrarium run ENV/],
      [["run", "shop", "now"], /does not know what to do with "now"/],
      [["status", "shop", "-o", "xml"], /--output is one of json, yaml, not "xml"/],
      [["logs", "shop", "--tail", "few"], /--tail is a number of lines/],
    ];
    for (const [args, says] of cases) {
      const { code, err } = await world().call(...args);
      assert.equal(code, EXIT.usage, args.join(" "));
      assert.match(err, says);
    }
  });

  it("goes where it is told, with options before the command, too", async () => {
    const { call, opened } = world();
    await call("-n", "team", "--context=other", "status", "--kubeconfig", "/etc/kube");
    const { namespace, context, file } = opened[0] ?? {};
    assert.deepEqual({ namespace, context, file }, { namespace: "team", context: "other", file: "/etc/kube" });
  });

  it("takes -n=x and -o=json as kubectl does, and nothing of the kind behind --", async () => {
    const { call, opened } = world({ runs: [applied] });
    const { code, out } = await call("-n=team", "runs", "shop", "-c=network", "-o=json");
    assert.equal(code, EXIT.done);
    assert.equal(opened[0]?.namespace, "team");
    assert.equal((JSON.parse(out) as unknown[]).length, 1);
    assert.equal((await call("status", "--", "-n=team")).code, EXIT.notFound);
  });

  it("names the components that there are when one is not", async () => {
    for (const args of [
      ["plan", "shop", "typo"],
      ["runs", "shop", "-c", "typo", "-o", "json"],
    ]) {
      const { code, err } = await world({ runs: [applied] }).call(...args);
      assert.equal(code, EXIT.notFound, args.join(" "));
      assert.match(err, /^shop has no component "typo": there are network, /);
    }
  });

  it("names the environments that there are when one is not", async () => {
    const { code, err } = await world().call("status", "shpo");
    assert.equal(code, EXIT.notFound);
    assert.equal(err, 'There is no Environment "shpo" in the namespace team. There are: shop');
  });

  it("says in which namespace it has looked when there are none", async () => {
    const { code, out } = await world({ environments: [] }).call("status");
    assert.equal(code, EXIT.done);
    assert.match(out, /no environments in the namespace team: choose another one with -n/);
  });

  const refusals: readonly (readonly [error: Error, code: number, says: RegExp])[] = [
    [
      new ApiError({
        request: "patch x",
        status: 403,
        reason: "Forbidden",
        message:
          'environments.terrarium.dev "shop" is forbidden: User "victor" cannot patch resource "environments" in API group "terrarium.dev" in the namespace "team"',
      }),
      EXIT.forbidden,
      /^You \(victor\) may not patch environments in the namespace team\. Ask who administers the namespace for the role "edit"\.$/,
    ],
    [
      new ApiError({
        request: "patch x",
        status: 403,
        reason: "Forbidden",
        message: "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: only the operator writes Runs",
      }),
      EXIT.forbidden,
      /^Refused: only the operator writes Runs$/,
    ],
    [
      new ApiError({ request: "x", status: 401, reason: "Unauthorized", message: "Unauthorized" }),
      EXIT.forbidden,
      /log in again/,
    ],
    [new ApiUnreachable("get x", "connect ECONNREFUSED"), EXIT.error, /does not answer \(connect ECONNREFUSED\)/],
  ];
  for (const [error, code, says] of refusals) {
    it(`turns "${error.message.slice(0, 60)}…" into what to do`, async () => {
      const { call, client } = world();
      client.faults.before = () => {
        throw error;
      };
      const answer = await call("run", "shop");
      assert.equal(answer.code, code);
      assert.match(answer.err, says);
    });
  }
});
