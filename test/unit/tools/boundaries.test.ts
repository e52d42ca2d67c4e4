import assert from "node:assert/strict";
import { boundaryViolations } from "../../../tools/check/boundaries.ts";
import { bareImports, withoutComments } from "../../../tools/check/imports.ts";
import { inText } from "../../../tools/check/words.ts";

const problems = (path: string, text: string) =>
  boundaryViolations([{ path, text, imports: bareImports(path, text) }]).map(
    ({ line, problem }) => `${line} ${problem}`,
  );

const decide = "operator/environment/decide.ts";

describe("the import boundaries", () => {
  const crossed: readonly (readonly [what: string, path: string, text: string])[] = [
    ["a Kubernetes client in a decision", decide, 'import { KubeConfig } from "@kubernetes/client-node";'],
    ["its types elsewhere", "operator/gateway/a.ts", 'import type { V1Pod } from "@kubernetes/client-node";'],
    ["the file system in a decision", "operator/engine/a.ts", 'import { readFile } from "node:fs/promises";'],
    ["an import over several lines", decide, 'import {\n  readFile,\n  rm,\n} from "node:fs/promises";'],
    ["a dynamic import", decide, 'const fs = await import("node:fs");'],
    ["a re-export", decide, 'export { readFile } from "node:fs";'],
    ["an import for its effects", decide, 'import "node:fs";'],
    ["a logger in a decision", "operator/run/a.ts", 'import { logger } from "../telemetry/logger.ts";'],
    ["a client of the cluster in a decision", "operator/run/a.ts", 'import { open } from "../cluster/client.ts";'],
    ["a clock in a decision", decide, "const now = Date.now();"],
    ["another clock in a decision", decide, "const now = new Date();"],
    ["a timer in a decision", decide, "setTimeout(() => 1, 5);"],
    ["settings outside config.ts", "operator/gateway/a.ts", "const port = process.env.PORT;"],
    ["a part that imports the program", "operator/gateway/a.ts", 'import { x } from "../main.ts";'],
    ["a part that imports what joins the parts", "operator/gateway/a.ts", 'import { x } from "../assemble.ts";'],
    ["a controller in the plugin", "plugin/a.ts", 'import { decide } from "../operator/environment/decide.ts";'],
    ["another way to the API server in the plugin", "plugin/a.ts", 'import { request } from "undici";'],
    ["the plugin in the operator", "operator/gateway/a.ts", 'import { x } from "../../plugin/program.ts";'],
    ["the file system in what is shown", "plugin/view/a.ts", 'import { readFile } from "node:fs/promises";'],
    [
      "a client in what is made of what was read",
      "plugin/reading/a.ts",
      'import { x } from "../../operator/cluster/client.ts";',
    ],
    ["a clock in what is shown", "plugin/view/a.ts", "const now = Date.now();"],
    ["an api that builds on a part", "operator/api/a.ts", 'import { x } from "../run/b.ts";'],
  ];
  for (const [what, path, text] of crossed) {
    it(`refuse ${what}`, () => assert.equal(problems(path, text).length, 1, problems(path, text).join("\n")));
  }

  const kept: readonly (readonly [what: string, path: string, text: string])[] = [
    ["the ports of the cluster in a decision", decide, 'import { apiVersionOf } from "../cluster/resources.ts";'],
    ["the type of a clock in a decision", decide, 'import type { Clock } from "../loop/clock.ts";'],
    ["a date of a given time in a decision", decide, "const at = new Date(now).toISOString();"],
    [
      "a Kubernetes client in the cluster's folder",
      "operator/cluster/a.ts",
      'import { x } from "@kubernetes/client-node";',
    ],
    ["settings in config.ts", "operator/config.ts", "readConfig(process.env);"],
    ["a clock where something is done", "operator/loop/a.ts", "const now = Date.now();"],
    ["what joins the parts in main.ts", "operator/main.ts", 'import { assemble } from "./assemble.ts";'],
    [
      "the client of the cluster in the plugin",
      "plugin/cluster.ts",
      'import { x } from "../operator/cluster/client.ts";',
    ],
    [
      "the order of components in the plugin",
      "plugin/reading/a.ts",
      'import { graphOf } from "../../operator/environment/graph.ts";',
    ],
    [
      "the length of a life in the plugin",
      "plugin/commands/a.ts",
      'import { lifeOf } from "../../operator/schedule/lifetime.ts";',
    ],
    ["a comment about a clock", decide, "// Date.now() is not asked here\n/* nor\n new Date() */"],
  ];
  for (const [what, path, text] of kept) {
    it(`allow ${what}`, () => assert.deepEqual(problems(path, text), []));
  }

  it("name file, line and reason", () => {
    const [violation] = boundaryViolations([{ path: decide, text: "\n\nDate.now();", imports: [] }]);
    assert.deepEqual(violation, {
      path: decide,
      line: 3,
      problem: "says Date.now(: decisions get the time (and chance) as data: no clock here",
    });
  });

  it("leave strings that look like comments alone", () => {
    assert.equal(withoutComments('const a = "https://x"; // gone'), `const a = "https://x";${" ".repeat(8)}`);
  });
});

describe("the words", () => {
  it("refuse paths of one machine", () => {
    assert.equal(inText("a.ts", `see /${"work"}/main/x`).length, 1);
    assert.equal(inText("a.md", `see /${"home"}/jane/x`).length, 1);
  });

  it("allow paths of the product", () => {
    assert.deepEqual(inText("a.ts", "/terrarium/out/work/main.tf"), []);
  });
});
