import assert from "node:assert/strict";
import fc from "fast-check";
import { cutBytes, cutCharacters } from "../../../operator/api/cut-bytes.ts";

describe("a text that is cut to bytes", () => {
  it("stays whole where it fits", () => {
    assert.equal(cutBytes("abc", 3), "abc");
    assert.equal(cutBytes("short", 10), "short");
  });

  it("shows that it was cut", () => {
    assert.equal(cutBytes("ééé", 5), "é…");
    assert.equal(cutBytes("語語語語", 10), "語語…");
  });

  it("fits, begins as before, and holds no half of a character", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 60 });
    fc.assert(
      fc.property(text, fc.integer({ min: 3, max: 80 }), (whole, most) => {
        const cut = cutBytes(whole, most);
        assert.ok(Buffer.byteLength(cut) <= most);
        assert.ok(cut === whole || whole.startsWith(cut.slice(0, -1)));
        assert.ok(!cut.includes("\ufffd"));
      }),
    );
  });
});

describe("a text that is cut to characters", () => {
  it("stays whole where it fits, however many bytes it has", () => {
    assert.equal(cutCharacters("語語語", 3), "語語語");
    assert.equal(cutCharacters("語語語語", 3), "語語…");
  });

  it("fits, begins as before, and holds no half of a character", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 60 });
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 80 }), (whole, most) => {
        const cut = cutCharacters(whole, most);
        assert.ok(cut.length <= most);
        assert.ok(cut === whole || whole.startsWith(cut.slice(0, -1)));
        assert.ok(cut.isWellFormed());
      }),
    );
  });
});
