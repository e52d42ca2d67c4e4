import assert from "node:assert/strict";
import fc from "fast-check";
import { Printer } from "../../../runner/agent/printer.ts";
import { Scrubber } from "../../../runner/agent/scrub.ts";
import { processorMs } from "../../fakes/processor-ms.ts";

function scrubber(...secrets: string[]): Scrubber {
  const made = new Scrubber();
  made.add(...secrets);
  return made;
}

/** Long enough, however many blanks in a row count as one, and unlike anything that the mark itself could be taken for. */
const secret = fc
  .stringMatching(/^[A-Za-z0-9/+=&<>" ]{4,40}$/)
  .filter((text) => text.trim().replace(/ +/g, " ").length >= 4 && !/[()]/.test(text));

describe("the scrubber", () => {
  const value = 'pa$$"word/+with <odd> &chars?';
  const spellings: Record<string, string> = {
    "as it is": value,
    "escaped as JSON": JSON.stringify(value).slice(1, -1),
    "escaped as Go does it": JSON.stringify(value)
      .slice(1, -1)
      .replaceAll("<", "\\u003c")
      .replaceAll(">", "\\u003e")
      .replaceAll("&", "\\u0026"),
    "in base64": Buffer.from(value).toString("base64").replace(/=+$/, ""),
    "in base64, one byte in": Buffer.from(`x${value}`).toString("base64").slice(2),
    "in base64, two bytes in": Buffer.from(`xy${value}`).toString("base64").slice(3, -3),
    "in base64 for addresses": Buffer.from(value).toString("base64url"),
    "URL-encoded": encodeURIComponent(value),
    "as a form field": encodeURIComponent(value).replaceAll("%20", "+"),
  };
  for (const [name, spelling] of Object.entries(spellings)) {
    it(`hides a secret ${name}`, () => {
      const text = scrubber(value).text(`before ${spelling} behind`);
      assert.match(text, /^before \(sensitive\)\S{0,3} behind$/);
    });
  }

  it("hides a secret of several lines that an engine has indented and framed", () => {
    const key = "-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----\n";
    const framed = key
      .trimEnd()
      .split("\n")
      .map((line) => `│   ${line}`)
      .join("\n");
    assert.equal(scrubber(key).text(`error:\n${framed}\nend`), "error:\n│   (sensitive)\nend");
  });

  it("hides a line of a secret that stands alone", () => {
    assert.equal(scrubber("header line\nthe interesting line").text("x the interesting line y"), "x (sensitive) y");
  });

  it("finds a secret that is short when its blanks count as one", () => {
    assert.equal(scrubber("=  >").text("a =  > b"), "a (sensitive) b");
  });

  it("leaves short values alone, which would hide half of every text", () => {
    assert.equal(scrubber("on", "a").text("an apple on a table"), "an apple on a table");
  });

  it("makes one mark of secrets that overlap", () => {
    assert.equal(scrubber("abcdef", "defghi").text("-abcdefghi-"), "-(sensitive)-");
  });

  it("finds a secret in any text, however the text is cut", () => {
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), fc.array(fc.nat(60)), (hidden, before, behind, cuts) => {
        const stream = scrubber(hidden).stream();
        const text = `${before}${hidden}${behind}`;
        let out = "";
        let at = 0;
        for (const cut of cuts) {
          out += stream.write(text.slice(at, at + cut));
          at += cut;
        }
        out += stream.write(text.slice(at)) + stream.end();
        assert.ok(!out.includes(hidden.trim()) || "(sensitive)".includes(hidden.trim()), out);
        assert.equal(out, scrubber(hidden).text(text), "the same as in one piece");
      }),
    );
  });

  it("changes nothing where there is no secret", () => {
    fc.assert(fc.property(fc.string(), (text) => assert.equal(scrubber("\u0001never\u0001").text(text), text)));
  });

  it("scrubs ten megabytes within seconds", () => {
    const many = Array.from({ length: 100 }, (_, index) => `secret-number-${index}-of-many`);
    const text = "terraform_data.many[17]: Creation complete after 0s [id=085106a0-d208]\n".repeat(140_000);
    const began = processorMs();
    assert.equal(scrubber(...many).text(text).length, text.length);
    assert.ok(processorMs() - began < 10_000);
  });

  it("prints whole lines only, and a secret over several lines not at all", () => {
    const lines: string[] = [];
    const stream = new Printer(scrubber("first part\nsecond part"), (text) => lines.push(text)).stream();
    stream.line("it is first part");
    assert.deepEqual(lines, []);
    stream.line("second part indeed");
    stream.end();
    assert.equal(lines.join(""), "it is (sensitive) indeed\n");
  });
});
