import assert from "node:assert/strict";
import { isJournalLine, journalEntry, parseEvent } from "../../../operator/engine/events.ts";
import { parseOutputs } from "../../../operator/engine/outputs.ts";
import { NotAState, parseState } from "../../../operator/engine/state.ts";
import { fixture, fixtureLines, recordedEngines } from "./fixture.ts";

describe("the event stream", () => {
  for (const engine of recordedEngines) {
    const events = (name: string) =>
      fixtureLines(engine, name)
        .filter((line) => line !== "")
        .map(parseEvent);

    it(`of ${engine} gives the journal of an apply, with the ids to import by`, () => {
      const entries = events("apply.jsonl").flatMap((event) => journalEntry(event) ?? []);
      assert.equal(entries.filter(({ event }) => event === "start").length, 6);
      const complete = entries.filter(({ event }) => event === "complete");
      assert.equal(complete.length, 6);
      for (const { idKey, id, action } of complete) {
        assert.equal(idKey, "id");
        assert.match(id ?? "", /^0{8}-/);
        assert.equal(action, "create");
      }
    });

    it(`of ${engine} tells what failed`, () => {
      const entries = events("apply-failed.jsonl").flatMap((event) => journalEntry(event) ?? []);
      const errored = entries.filter(({ event }) => event === "errored").map(({ address }) => address);
      assert.deepEqual(errored.sort(), ["terraform_data.bad[0]", "terraform_data.bad[1]"]);
    });

    it(`of ${engine} gives version, changes and the names of outputs`, () => {
      const all = events("plan.jsonl");
      assert.match(all.flatMap((event) => (event.type === "Version" ? [event.version] : []))[0] ?? "", /^1\.\d+/);
      assert.deepEqual(
        all.flatMap((event) => (event.type === "ChangeSummary" ? [event] : [])),
        [{ type: "ChangeSummary", operation: "plan", add: 6, change: 0, remove: 0, import: 0 }],
      );
      assert.deepEqual(
        all.flatMap((event) => (event.type === "Outputs" ? event.names : [])),
        ["hidden", "plain", "shape"],
      );
    });

    it(`of ${engine} does not journal the reading of a data source`, () => {
      assert.deepEqual(
        events("plan-data.jsonl").flatMap((event) => journalEntry(event) ?? []),
        [],
      );
    });

    it(`of ${engine} marks the lines that must not be dropped without parsing them`, () => {
      for (const line of fixtureLines(engine, "apply-failed.jsonl").filter((text) => text !== "")) {
        const { type } = parseEvent(line);
        const must = ["ApplyStart", "ApplyComplete", "ApplyErrored", "Diagnostic", "ChangeSummary"].includes(type);
        assert.equal(isJournalLine(line), must, line);
      }
    });

    it(`of ${engine}: its state gives outputs with the sensitive values that the stream leaves out`, () => {
      const outputs = parseOutputs(fixture(engine, "state.json"));
      assert.deepEqual(
        outputs.map(({ name, sensitive }) => [name, sensitive]),
        [
          ["hidden", true],
          ["plain", false],
          ["shape", false],
        ],
      );
      assert.equal(outputs[0]?.value, "canary-7f3a");
      assert.deepEqual(outputs[2]?.value, { list: [1, 2], flag: true });
    });

    it(`of ${engine}: its state has a lineage, a serial and addresses`, () => {
      const state = parseState(fixture(engine, "state.json"));
      assert.ok(state.serial > 0 && state.lineage !== "");
      assert.equal(state.resourceCount, 6);
      assert.ok(state.addresses.includes("terraform_data.extra[1]"));
    });
  }

  it("passes through as text what is not an event", () => {
    for (const line of ["", "hello", "{broken", "[1]", "null", '{"type":"toString"}', '{"type":"apply_start"}']) {
      assert.deepEqual(parseEvent(line), { type: "Text", text: line });
    }
    assert.deepEqual(parseEvent('{"type":"new_thing","@message":"Hi"}'), { type: "Text", text: "Hi" });
  });

  it("is not fooled by output of a provisioner that looks like an event", () => {
    const inner = '{"type":"apply_complete","hook":{}}';
    assert.equal(isJournalLine(JSON.stringify({ type: "provision_progress", hook: { output: inner } })), false);
  });
});

describe("a state", () => {
  it("that is none is refused without quoting it", () => {
    for (const text of [
      "",
      "canary",
      '{"version":3,"x":"canary"}',
      '{"version":4,"lineage":"","serial":1}',
      "[]",
      "null",
    ]) {
      assert.throws(
        () => parseState(text),
        (error) => error instanceof NotAState && !error.message.includes("canary"),
      );
    }
  });

  it("gives addresses of modules and keys", () => {
    const text = JSON.stringify({
      version: 4,
      lineage: "l",
      serial: 0,
      terraform_version: "1.12.0",
      resources: [
        {
          module: 'module.m["a"]',
          mode: "managed",
          type: "t",
          name: "n",
          instances: [{ index_key: "x.y" }, { index_key: 0 }],
        },
        { mode: "data", type: "t", name: "d", instances: [{}] },
      ],
    });
    assert.deepEqual(parseState(text).addresses, ['module.m["a"].t.n["x.y"]', 'module.m["a"].t.n[0]']);
  });
});

describe("A number in an output", () => {
  const read = (json: string) =>
    parseOutputs(`{"version": 4, "serial": 12345678901234567, "outputs": {"id": {"value": ${json}}}}`)[0]?.value;

  it("that is too long for JavaScript keeps its digits, as a string, wherever it stands", () => {
    assert.equal(read("1234567890123456789"), "1234567890123456789");
    assert.deepEqual(read('{"ids":[1,-9007199254740993]}'), { ids: [1, "-9007199254740993"] });
  });

  it("that is not too long stays a number", () => {
    for (const json of ["9007199254740991", "0.12345678901234567", "1e30", "1234567890123456.5"])
      assert.equal(read(json), Number(json));
    assert.equal(read('"12345678901234567890"'), "12345678901234567890");
  });
});
