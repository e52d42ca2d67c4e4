import assert from "node:assert/strict";
import fc from "fast-check";
import { withSerial } from "../../../operator/engine/state-serial.ts";

describe("another serial of a state", () => {
  it("changes that number and nothing else, wherever it stands", () => {
    const states = [
      '{"version":4,"serial":7,"lineage":"l"}',
      '{ "lineage": "serial", "resources": [{"serial": 3, "a": "\\"serial\\": 9"}], "serial" : 7 , "x": 12345678901234567890 }',
      '{\n  "outputs": {"serial": {"value": 1}},\n  "serial": 7\n}\n',
    ];
    for (const state of states) assert.equal(withSerial(state, 42), state.replace(/7(?=[,}\s])/, "42"));
  });

  it("is what a JSON parser then reads, for any state", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), fc.nat(), (members, before, after) => {
        const state = { ...members, serial: before, more: [{ serial: before }] };
        const changed = JSON.parse(withSerial(JSON.stringify(state), after));
        assert.deepEqual(changed, JSON.parse(JSON.stringify({ ...state, serial: after })));
      }),
    );
  });
});
