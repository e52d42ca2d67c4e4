import assert from "node:assert/strict";
import fc from "fast-check";
import { DEEPEST_JSON } from "../../../operator/engine/json-walk.ts";
import { NotAState, parseState } from "../../../operator/engine/state.ts";
import { readEnvelope } from "../../../operator/engine/state-envelope.ts";
import { MOST_VALUES, readObjects, readOutputs, TooManyOutputs } from "../../../operator/engine/state-parts.ts";
import { fixture } from "./fixture.ts";

function run<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

const facts = (text: string) => run(readEnvelope(Buffer.from(text)));

/** The facts, or that it is no state. */
function orNot<T>(read: () => T): T | "no state" {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotAState) return "no state";
    throw error;
  }
}

function fromTree(text: string) {
  const { addresses: _left, ...rest } = parseState(text);
  return rest;
}

const sameAsTree = (text: string) =>
  assert.deepEqual(
    orNot(() => facts(text)),
    orNot(() => fromTree(text)),
    text.slice(0, 300),
  );

const members = (more: string) => `{"version":4,"terraform_version":"1.12.6","serial":7,"lineage":"one"${more}}`;
const resource = (more: string) => members(`,"resources":[{"mode":"managed","type":"t","name":"n"${more}}]`);

describe("what is read of a state without a tree", () => {
  for (const engine of ["opentofu-1.12", "terraform-1.5"])
    it(`is what a tree of one of ${engine} says`, () => sameAsTree(fixture(engine, "state.json")));

  const odd: readonly string[] = [
    "",
    " ",
    "null",
    "[]",
    '"text"',
    "{}",
    "4",
    "{",
    "}",
    "[}",
    '{"a":1,}',
    '{"a"}',
    '{"a":}',
    "{,}",
    "[1,]",
    "[,1]",
    "{} {}",
    "{}x",
    `\uFEFF${members("")}`,
    ` \t\r\n${members("")} \n`,
    `\f${members("")}`,
    members(',"a":"\\u00e9\\ud83d\\ude00\\ud800\\"\\\\\\/\\b"'),
    members(',"a":"é😀\u007f"'),
    members(',"a":"\\x"'),
    members(',"a":"\\u12g4"'),
    members(',"a":"\n"'),
    members(',"a":"'),
    members(',"\\u0073erial":9'),
    members(',"serial":9,"serial":8'),
    members(',"serial":9007199254740993'),
    members(',"serial":7.0'),
    members(',"serial":7e0'),
    members(',"serial":-1'),
    members(',"serial":1.5'),
    members(',"serial":"7"'),
    members(',"version":"4"'),
    members(',"lineage":""'),
    members(',"lineage":["one"]'),
    members(',"__proto__":{"serial":9}'),
    ...["01", "1.", ".5", "-", "+1", "1e", "1e+", "-0", "1E-7", "1e999", "NaN", "tru", "nul", "truefalse", "0x1"].map(
      (number) => members(`,"a":[${number}]`),
    ),
    members(',"resources":null'),
    members(',"resources":{}'),
    members(',"resources":[null]'),
    members(',"resources":[[{"mode":"managed"}]]'),
    members(',"resources":[{}],"resources":[]'),
    members(',"resources":[],"resources":[{}]'),
    resource(""),
    resource(',"instances":null'),
    resource(',"instances":{}'),
    resource(',"instances":[1]'),
    resource(',"instances":[[{"index_key":{}}]]'),
    resource(',"instances":[{},{"index_key":"a"},{"index_key":0}]'),
    resource(',"instances":[{"index_key":null}]'),
    resource(',"instances":[{"index_key":[1]}]'),
    resource(',"instances":[{"index_key":1e999}]'),
    resource(',"instances":[{"schema_version":1e999}]'),
    resource(',"instances":[{"index_key":{},"index_key":1}]'),
    resource(',"instances":[{},{}],"instances":[{}]'),
    resource(',"instances":[1],"instances":[{}]'),
    resource(',"instances":[{}],"mode":"data"'),
    resource(',"mode":["managed"],"instances":[{}]'),
    resource(',"mode":[[]]'),
    resource(',"mode":"m\\u0061naged","instances":[{}]'),
    resource(',"module":3'),
    members(',"resources":[{"instances":[{},{}],"name":"n","type":"t","mode":"managed"}]'),
    members(`,"a":${"[".repeat(5000)}${"]".repeat(5000)}`),
    members(`,"a":${'{"b":'.repeat(5000)}1${"}".repeat(5000)}`),
  ];
  for (const text of odd) it(`is what a tree says of ${text.slice(0, 90) || "nothing"}`, () => sameAsTree(text));

  it("is what a tree says of any state", () => {
    const text = fc.string({ unit: "binary" });
    const instance = fc.record(
      { index_key: fc.oneof(text, fc.integer(), fc.jsonValue()), attributes: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const one = fc.record(
      {
        module: text,
        mode: fc.constantFrom("managed", "data"),
        type: text,
        name: text,
        instances: fc.array(instance),
        x: fc.jsonValue(),
      },
      { requiredKeys: ["mode", "type", "name"] },
    );
    const state = fc.record(
      {
        version: fc.constant(4),
        lineage: text,
        serial: fc.nat(),
        terraform_version: text,
        resources: fc.array(one),
        outputs: fc.jsonValue(),
        y: fc.jsonValue(),
      },
      { requiredKeys: ["version", "lineage", "serial", "terraform_version"] },
    );
    const indent = fc.constantFrom(0, 2, "\t");
    fc.assert(fc.property(state, indent, (value, by) => sameAsTree(JSON.stringify(value, null, by))));
  });

  it("is refused wherever a tree is refused, however a state was cut or altered", () => {
    const whole = JSON.stringify({
      ...JSON.parse(resource(',"instances":[{"index_key":"\\"\\u0001"}]')),
      x: [-1.5e3, true, null, {}],
    });
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(3), fc.string({ unit: "binary-ascii", maxLength: 3 }), (at, gone, put) =>
        sameAsTree(whole.slice(0, at) + put + whole.slice(at + gone)),
      ),
      { numRuns: 2000 },
    );
  });

  it("is no state where it is nested deeper than an engine can read", () => {
    const nested = (depth: number) => members(`,"a":${"[".repeat(depth)}${"]".repeat(depth)}`);
    assert.equal(facts(nested(DEEPEST_JSON - 1)).serial, 7);
    assert.throws(() => facts(nested(DEEPEST_JSON)), /nested more than 10000 times/);
  });

  it("is one also where its outputs would fill the memory of whoever reads them: those are refused, and not the state", () => {
    const outputs = (values: number) => members(`,"outputs":{"a":{"value":[${"[],".repeat(values)}[]]}}`);
    const [few, many] = [outputs(MOST_VALUES - 10), outputs(MOST_VALUES)];
    assert.equal(run(readOutputs(Buffer.from(few))).length, 1);
    assert.equal(facts(many).serial, 7);
    assert.throws(() => run(readOutputs(Buffer.from(many))), TooManyOutputs);
  });

  it("quotes nothing of what it refuses", () => {
    for (const text of ["canary", '{"a":"canary', members(',"lineage":{"canary":1}')])
      assert.throws(
        () => facts(text),
        (error) => error instanceof NotAState && !error.message.includes("canary"),
      );
  });
});

describe("a part of a state", () => {
  it("is its outputs, the last ones, with every digit of a number", () => {
    const text = members(
      ',"outputs":{"old":{"value":1}},"x":{"outputs":{}},"outputs":{"id":{"value":12345678901234567890}}',
    );
    assert.deepEqual(
      run(readOutputs(Buffer.from(text))).map(({ name, value }) => [name, value]),
      [["id", "12345678901234567890"]],
    );
    assert.deepEqual(run(readOutputs(Buffer.from(members(',"outputs":null')))), []);
    assert.deepEqual(run(readOutputs(Buffer.from(members("")))), []);
  });

  it("is the objects that are asked for, with what identifies them", () => {
    const text = members(`,"resources":[
      {"mode":"managed","type":"t","name":"a","instances":[{"index_key":0,"attributes":{"id":"1","arn":"x","tags":{}}}]},
      {"mode":"data","type":"t","name":"b","instances":[{"attributes":{"id":"2"}}]},
      {"mode":"managed","type":"t","name":"c","instances":[{"attributes":{"id":"3"}},{"attributes":{"id":4}}]}]`);
    const wanted = {
      isWanted: (address: string) => address !== "t.c[9]",
      isWantedOf: () => true,
      attributes: new Set(["id"]),
    };
    assert.deepEqual(run(readObjects(Buffer.from(text), wanted)), [
      { address: "t.a[0]", attributes: { id: "1" } },
      { address: "t.c", attributes: { id: "3" } },
      { address: "t.c", attributes: {} },
    ]);
    assert.deepEqual(run(readObjects(Buffer.from(text), { ...wanted, isWanted: () => false })), []);
    assert.deepEqual(run(readObjects(Buffer.from(text), { ...wanted, isWantedOf: (address) => address === "t.a" })), [
      { address: "t.a[0]", attributes: { id: "1" } },
    ]);
  });

  it("is the objects of a resource whose parts stand in any order, and twice: the last ones count", () => {
    const text = members(`,"resources":[{"instances":[{"attributes":{"id":"old"}}],"name":"x",
      "instances":[{"attributes":{"id":"1"},"index_key":"k\\"[0]"},7],"type":"t","name":"a","module":"module.m","mode":"managed"}]`);
    const wanted = { isWanted: () => true, isWantedOf: () => true, attributes: new Set(["id"]) };
    assert.throws(() => run(readObjects(Buffer.from(text), wanted)), NotAState);
    const whole = text.replace(",7]", "]");
    assert.deepEqual(run(readObjects(Buffer.from(whole), wanted)), [
      { address: 'module.m.t.a["k\\"[0]"]', attributes: { id: "1" } },
    ]);
  });

  it("is read with turns for others, however much of it is one resource, and whatever is asked for", () => {
    const instance = (index: number) => `{"index_key":${index},"attributes":{"id":"${"x".repeat(1000)}"}}`;
    const instances = Array.from({ length: 2000 }, (_, index) => instance(index));
    const bytes = Buffer.from(
      members(`,"resources":[{"mode":"managed","type":"t","name":"a","instances":[${instances}]}]`),
    );
    const asked = { isWanted: () => true, isWantedOf: () => true, attributes: new Set(["id"]) };
    const reading = readObjects(bytes, asked);
    let turns = 0;
    let step = reading.next();
    for (; step.done !== true; step = reading.next()) turns += 1;
    assert.equal(step.value.length, 2000);
    // As many for reading the bytes, and as many again for reading the instances.
    assert.ok(turns >= 2 * Math.floor(bytes.length / (256 * 1024)) - 1, `${turns} turns`);
  });

  it("is found beside what is too large to be read, which nobody has asked for", () => {
    const large = `{"attributes":{"list":[${"[],".repeat(MOST_VALUES)}[]]}}`;
    const text = members(`,"resources":[
      {"mode":"managed","type":"t","name":"large","instances":[${large}]},
      {"mode":"managed","type":"t","name":"a","instances":[{"attributes":{"id":"1"}}]}]`);
    const asked = (resource: string) => ({
      isWanted: (address: string) => address === resource,
      isWantedOf: (address: string) => address === resource,
      attributes: new Set(["id"]),
    });
    const bytes = Buffer.from(text);
    assert.deepEqual(run(readObjects(bytes, asked("t.a"))), [{ address: "t.a", attributes: { id: "1" } }]);
    assert.throws(() => run(readObjects(bytes, asked("t.large"))), /an instance of a resource holds more than/);
  });
});
