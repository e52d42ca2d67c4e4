import assert from "node:assert/strict";
import { answerFor } from "../../../operator/gateway/errors.ts";
import { KeyMissing, RecordsUnreadable, StoreCorrupt } from "../../../operator/storage/port.ts";

describe("A record that cannot be read", () => {
  const codeFor = (error: Error) =>
    answerFor(new RecordsUnreadable([{ component: "site", holder: "Secret record-of-site", error }])).code;

  it("is answered as that one record would be: a key may come back, and what is damaged stays so", () => {
    assert.equal(codeFor(new KeyMissing("0a")), "StoreUnavailable");
    assert.equal(codeFor(new StoreCorrupt("record team/shop/site", "it was altered")), "StoreCorrupt");
  });
});
