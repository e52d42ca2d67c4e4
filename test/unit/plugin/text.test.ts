import assert from "node:assert/strict";
import { coloured, cut, listed, plain, span, table } from "../../../plugin/view/text.ts";

const S = 1000;
const M = 60 * S;
const H = 60 * M;

describe("the plugin's text", () => {
  const spans: readonly (readonly [ms: number, text: string])[] = [
    [-5 * S, "0s"],
    [59 * S, "59s"],
    [119 * S, "119s"],
    [2 * M, "2m"],
    [119 * M, "119m"],
    [2 * H, "2h"],
    [3 * H + 20 * M, "3h20m"],
    [11 * H + 59 * M, "11h"],
    [48 * H, "2d"],
    [52 * H, "2d4h"],
    [24 * 40 * H, "40d"],
  ];
  for (const [ms, text] of spans) it(`says ${text} for ${ms} ms`, () => assert.equal(span(ms), text));

  it("lists names as a sentence does", () => {
    assert.equal(listed([]), "");
    assert.equal(listed(["a"]), "a");
    assert.equal(listed(["a", "b", "c"]), "a, b and c");
  });

  it("aligns columns, leaves out the empty ones, and ends no line with blanks", () => {
    const rows = [
      ["network", "", "Ready"],
      ["db", "", { style: "bad", text: "Failed" }],
      ["└─ x", "", ""],
    ] as const;
    assert.deepEqual(table(["NAME", "NOTHING", "STATE"], rows, plain), [
      "NAME     STATE",
      "network  Ready",
      "db       Failed",
      "└─ x",
    ]);
  });

  it("colours the words and not the space between them", () => {
    const lines = table(["A", "B"], [[{ style: "good", text: "x" }, "y"]], coloured);
    assert.equal(lines[1], "\u001b[32mx\u001b[0m  y");
  });

  it("shows that something was cut", () => assert.equal(cut("abcdef", 4), "abc…"));
});
