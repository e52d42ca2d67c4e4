import assert from "node:assert/strict";
import { importBlocks } from "../../../operator/state-api/imports.ts";

const blocksIn = (text: string) => text.split("\n").filter((line) => line.startsWith("import {")).length;

describe("import blocks", () => {
  it("name address and id; what has no id is a remark", () => {
    const leftovers = [{ address: "aws_vpc.main", id: "vpc-1" }, { address: 'aws_subnet.private["a"]' }];
    const text = importBlocks([{ run: "shop-network-1", leftovers }]);
    assert.match(text, /^# Created by Run shop-network-1/);
    assert.match(text, /\nimport \{\n {2}to = aws_vpc\.main\n {2}id = "vpc-1"\n\}\n/);
    assert.match(text, /\n# import \{\n# {3}to = aws_subnet\.private\["a"\]\n# {3}id = ""\n# \}\n/);
    assert.equal(blocksIn(text), 1);
  });

  it("are a remark where the state has what was to be replaced: engines would pass over them", () => {
    const text = importBlocks([{ run: "r", leftovers: [{ address: "a.b", id: "new", replaces: true }] }]);
    assert.match(
      text,
      /# a\.b: the state has what was there before\..*\n# import \{\n# {3}to = a\.b\n# {3}id = "new"\n# \}\n/,
    );
    assert.equal(blocksIn(text), 0);
  });

  it("of two Runs that made the same are for the newer: the other is a remark", () => {
    const text = importBlocks([
      { run: "newer", leftovers: [{ address: "a.b", id: "2" }] },
      {
        run: "older",
        leftovers: [
          { address: "a.b", id: "1" },
          { address: "a.c", id: "3" },
        ],
      },
    ]);
    assert.match(
      text,
      /Run newer.*\n {2}id = "2"\n.*Run older.*a\.b was made more than once.*# {3}id = "1"\n.*\n {2}id = "3"/s,
    );
    assert.equal(blocksIn(text), 2);
  });

  it("begin no template in an id", () => {
    const id = "x$" + '{file("/etc/passwd")}%{ if true }"';
    const text = importBlocks([{ run: "r", leftovers: [{ address: "a.b", id }] }]);
    assert.match(text, /id = "x\$\$\{file\(\\"\/etc\/passwd\\"\)\}%%\{ if true \}\\""/);
  });

  it("say so where there is nothing", () => {
    assert.match(importBlocks([]), /^# Nothing was ever applied/);
    assert.match(importBlocks([{ run: "r", leftovers: [] }]), /^# Run r created nothing/);
  });
});
