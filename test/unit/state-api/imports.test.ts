import assert from "node:assert/strict";
import { importBlocks } from "../../../operator/state-api/imports.ts";

describe("import blocks", () => {
  it("name address and id; what has no id is a remark", () => {
    const text = importBlocks("shop-network-1", [
      { address: "aws_vpc.main", id: "vpc-1" },
      { address: 'aws_subnet.private["a"]' },
    ]);
    assert.match(text, /^# Created by Run shop-network-1/);
    assert.match(text, /\nimport \{\n {2}to = aws_vpc\.main\n {2}id = "vpc-1"\n\}\n/);
    assert.match(text, /\n# import \{\n# {3}to = aws_subnet\.private\["a"\]\n/);
    assert.equal(text.split("\n").filter((line) => line.startsWith("import {")).length, 1);
  });

  it("begin no template in an id", () => {
    const text = importBlocks("r", [{ address: "a.b", id: "x$" + '{file("/etc/passwd")}%{ if true }"' }]);
    assert.match(text, /id = "x\$\$\{file\(\\"\/etc\/passwd\\"\)\}%%\{ if true \}\\""/);
  });

  it("say so where there is nothing", () => {
    assert.match(importBlocks(undefined, []), /^# Nothing was ever applied/);
    assert.match(importBlocks("r", []), /^# Run r created nothing/);
  });
});
