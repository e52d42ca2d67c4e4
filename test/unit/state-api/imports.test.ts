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

  const masks = [
    ["the address", { address: 'a.b["(sensitive)"]', id: "1" }],
    ["the id", { address: "a.b", id: "acme/(sensitive)" }],
    ["the address and the id", { address: 'a.b["(sensitive)"]', id: "(sensitive)" }],
  ] as const;
  for (const [where, leftover] of masks)
    it(`are a remark that says what to do where a secret was taken out of ${where}`, () => {
      const text = importBlocks([{ run: "r", leftovers: [leftover] }]);
      assert.match(
        text,
        new RegExp(
          `\n# A secret value was taken out of ${where} of .*: find out .* in the place of \\(sensitive\\)\\.\n`,
        ),
      );
      assert.equal(blocksIn(text), 0);
      for (const told of [`\n#   to = ${leftover.address}\n`, `\n#   id = "${leftover.id}"\n`])
        assert.ok(text.includes(told), text);
    });

  it("tell of a secret in an address, too, where there is no id", () => {
    const text = importBlocks([{ run: "r", leftovers: [{ address: 'a.b["(sensitive)"]' }] }]);
    assert.match(text, /# a\.b\["\(sensitive\)"\] was begun, .*\. A secret value was taken out of the address of /);
    assert.equal(blocksIn(text), 0);
  });

  it("are ready for what an older Run made where the newer one's id lacks a secret: of the two it is the one that is known", () => {
    const text = importBlocks([
      { run: "newer", leftovers: [{ address: "a.b", id: "(sensitive)" }] },
      { run: "older", leftovers: [{ address: "a.b", id: "1" }] },
    ]);
    assert.match(text, /Run newer.*# a\.b was made more than once\..* A secret value .*Run older.*\n {2}id = "1"\n/s);
    assert.equal(blocksIn(text), 1);
  });

  it("say so where there is nothing", () => {
    assert.match(importBlocks([]), /^# Nothing was ever applied/);
    assert.match(importBlocks([{ run: "r", leftovers: [] }]), /^# Run r created nothing/);
  });
});
