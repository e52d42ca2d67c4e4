import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { checkout } from "../../../tools/bundle.ts";
import { showNextSteps } from "../../../tools/demo/ending.ts";
import type { Kubectl } from "../../../tools/demo/kubectl.ts";
import { chartValues } from "../../../tools/demo/operator.ts";
import { parseOptions, UsageError } from "../../../tools/demo/options.ts";
import { isReady, type WatchedEnvironment, watchFor } from "../../../tools/demo/progress.ts";
import { depths, renderTree, renderTroubles, type ShownEnvironment } from "../../../tools/demo/tree.ts";

const read = (path: string) => readFile(join(checkout, path), "utf8");

describe("the options of the demo", () => {
  it("ask for a local cluster unless a context is given", () => {
    assert.deepEqual(parseOptions([]), { place: { type: "local", name: "terrarium" }, engine: "opentofu", acts: 1 });
    assert.deepEqual(parseOptions(["--context", "kind", "--registry", "localhost:5001/me", "--engine", "terraform"]), {
      place: { type: "own", context: "kind", registry: "localhost:5001/me" },
      engine: "terraform",
      acts: 1,
    });
    assert.equal(parseOptions(["--act", "2"])?.acts, 2);
    assert.equal(parseOptions(["--help"]), undefined);
  });

  it("say what is wrong with them", () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [["--context", "kind"], /--context needs --registry/],
      [["--act", "3"], /--act 3: 1 or 2/],
      [["--registry", "host/path"], /--registry needs --context/],
      [["--context", "kind", "--registry", "https://host/path"], /without https/],
      [["--context", "kind", "--registry", "host/path:1.0"], /without a tag/],
      [["--name", "a", "--context", "b", "--registry", "c"], /only one/],
      [["--engine", "pulumi"], /opentofu or terraform/],
      [["--speed", "fast"], /--speed/],
    ];
    for (const [args, message] of cases) {
      assert.throws(
        () => parseOptions(args),
        (error) => error instanceof UsageError && message.test(error.message),
        args.join(" "),
      );
    }
  });

  it("become chart values that name every image by digest", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    const runners = ["opentofu", "terraform"].map((name) => ({ name, version: "1", image: `r@${digest}` }));
    const values = chartValues({ operator: { repository: "o", digest }, gitserver: `g@${digest}`, runners });
    assert.match(JSON.stringify(values), /"image":\{"repository":"o","digest":"sha256:0+"\}/);
    assert.match(JSON.stringify(values), /"name":"opentofu","version":"1","image":"r@sha256:0+","default":true/);
  });
});

describe("the progress of the demo", () => {
  const environment = (components: NonNullable<ShownEnvironment["status"]>["components"]): ShownEnvironment => ({
    spec: {
      components: [
        { name: "app", dependsOn: ["database"], terraform: { variables: [uses("catalog")] } },
        { name: "database", terraform: { variables: [uses("network")] } },
        { name: "catalog", terraform: { variables: [uses("network"), { name: "plain" }] } },
        { name: "network" },
      ],
    },
    status: { components: components ?? [] },
  });
  const uses = (component: string) => ({ name: "x", valueFrom: { output: { component, name: "y" } } });
  const plain = (lines: readonly string[]) => lines.map((line) => stripVTControlCharacters(line).trimEnd());

  it("puts what is needed above what needs it", () => {
    const lines = plain(renderTree(environment([])));
    assert.deepEqual(
      lines.map((line) => line.replace(/^( *). (\S+).*$/, "$1$2")),
      ["network", "  database", "  catalog", "    app"],
    );
    assert.match(lines[3] ?? "", /Pending +after database, catalog$/);
  });

  it("tells what a component does, did, or complains about", () => {
    const plan = { create: 3, update: 0, replace: 1, delete: 0 };
    const lines = plain(
      renderTree(
        environment([
          { name: "network", state: "Ready", plan },
          { name: "catalog", state: "Applying", run: "r1" },
          { name: "database", state: "Failed", message: "The password\nis too short" },
        ]),
        new Map([["r1", { step: "apply", done: 40, total: 101, current: "terraform_data.plant[7]" }]]),
      ),
    );
    assert.match(lines[0] ?? "", /Ready +3 created, 1 replaced$/);
    assert.match(lines[1] ?? "", /Failed +The password is too short$/);
    assert.match(lines[2] ?? "", /Applying +apply 40\/101 · terraform_data\.plant\[7\]$/);
  });

  it("tells what has failed to its end, when it is tried again, and what to do", () => {
    const message = `network: main.tf:3: Unclosed configuration block: ${"it goes on and on ".repeat(20)}until https://${"x".repeat(70)}/here`;
    const failed = (state: string, retryAt?: string): ShownEnvironment => ({
      ...environment([]),
      status: {
        components: [
          { name: "network", state, message: "cut …", run: "r1", ...(retryAt === undefined ? {} : { retryAt }) },
        ],
        conditions: [{ type: "Ready", status: "False", reason: "ConfigurationInvalid", message }],
      },
    });
    const troubles = renderTroubles(failed("Failed", "2026-01-01T12:34:56Z"), 60);
    assert.ok(
      troubles.every((line) => line.length <= 60),
      "within the terminal",
    );
    const text = troubles.join("").replaceAll(" ", "");
    assert.ok(text.startsWith(message.replaceAll(" ", "")), "nothing is left out");
    assert.match(text, /Thenexttrybeginsat12:34:56UTC\..*runthedemoagain/);
    assert.match(renderTroubles(failed("Interrupted")).join(" "), /Nothing is tried again by itself/);
    assert.deepEqual(renderTroubles(failed("Planning")), []);
    const earlier = renderTroubles(failed("Failed", "2026-01-01T12:34:56Z"), 60, new Set(["r1"])).join(" ");
    assert.match(earlier, /The try before this one: network: .* The next try begins at 12:34:56 UTC\.$/);
  });

  it("ends for a cycle, which is the operator's to report", () => {
    const cycle = new Map([
      ["a", ["b"]],
      ["b", ["a"]],
    ]);
    assert.equal(depths(cycle).size, 2);
  });

  it("is over when the status speaks of this generation and of the commit that was pushed, and says Ready", () => {
    const watched = (observedGeneration: number, ready: "True" | "False", commits: readonly string[]) => {
      const components = commits.map((commit) => ({ name: commit, state: "Ready", revision: `main@sha1:${commit}` }));
      const conditions = [{ type: "Ready", status: ready, reason: "Applied", message: "" }];
      return {
        metadata: { name: "shop", namespace: "team-shop", generation: 2 },
        spec: { components: [] },
        status: { observedGeneration, conditions, components },
      } satisfies WatchedEnvironment;
    };
    assert.equal(isReady(watched(2, "True", ["a1", "a1"]), "a1"), true);
    assert.equal(isReady(watched(1, "True", ["a1", "a1"]), "a1"), false);
    assert.equal(isReady(watched(2, "False", ["a1", "a1"]), "a1"), false);
    assert.equal(isReady(watched(2, "True", ["a1", "a0"]), "a1"), false, "one component is still of the commit before");
  });
});

describe("a demo that waits in vain", () => {
  const ready = { name: "app", state: "Ready" };
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
  });

  async function complaintOf(status: Partial<NonNullable<WatchedEnvironment["status"]>>): Promise<string> {
    const shown = {
      metadata: { name: "shop", namespace: "team-shop", generation: 3 },
      spec: { components: [] },
      status: { observedGeneration: 3, ...status },
    };
    const lines: Kubectl["lines"] = async (_args, signal, onLine) => {
      onLine(JSON.stringify(shown));
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    };
    const kubectl = { lines } as Kubectl;
    return watchFor(kubectl, shown.metadata, () => false, 1).then(
      () => assert.fail("it waits for nothing"),
      (error: Error) => error.message,
    );
  }

  it("tells which component is not ready, and what a person is to do first", async () => {
    const components = [ready, { name: "database", state: "Failed", message: "The password is too short" }];
    const conditions = [condition("Stalled", "True", "ApplyFailed", "database: The password is too short")];
    assert.equal(
      await complaintOf({ components, conditions }),
      "shop is not Ready after 0 s:\n  database: The password is too short\n  database: Failed The password is too short",
    );
  });

  it("tells what is wrong with the whole where every component is well", async () => {
    const conditions = [
      condition("Ready", "False", "OutputsNotWritten", "writeOutputsTo: no such namespace"),
      condition("Stalled", "False", "Progressing", "goes on by itself"),
    ];
    assert.match(
      await complaintOf({ components: [ready], conditions }),
      /\n {2}Ready=False OutputsNotWritten: writeOutputsTo: no such namespace$/,
    );
  });

  it("tells that the operator has not looked at the newest spec", async () => {
    assert.match(
      await complaintOf({ observedGeneration: 2, components: [ready] }),
      /\n {2}the operator has not looked at generation 3: what it says is older$/,
    );
  });
});

describe("the end of the demo", () => {
  const said = (local: string | undefined): string => {
    const lines: string[] = [];
    showNextSteps("export KUBECONFIG=here", local, (text) => lines.push(stripVTControlCharacters(text)));
    return lines.join("\n");
  };

  it("says how a local cluster goes, by its name", () => {
    assert.match(said("terrarium"), /Take all away +npm run cluster down$/m);
    assert.match(said("second"), /Take all away +npm run cluster down -- --name second$/m);
  });

  it("takes what holds for the whole cluster away from a cluster of one's own, too", async () => {
    assert.match(said(undefined), /Take all away +as docs\/operations\.md#uninstall/);
    assert.match(said(undefined), /kubectl delete .*-f examples\/shop\/team\.yaml$/m);
    assert.match(await read("docs/operations.md"), /^## Uninstall$/m);
  });

  it("leads to the removal of every definition of the chart", async () => {
    const files = await readdir(join(checkout, "charts/terrarium/templates/crds"));
    const [, names = ""] = /^kubectl delete crd (.*)$/m.exec(await read("docs/operations.md")) ?? [];
    assert.deepEqual(
      names.split(" ").toSorted(),
      files.map((file) => file.replace(".yaml", ".terrarium.dev")).toSorted(),
    );
  });
});
