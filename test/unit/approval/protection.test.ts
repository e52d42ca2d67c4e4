import assert from "node:assert/strict";
import fc from "fast-check";
import { offenceOf, protectedBy } from "../../../operator/approval/protection.ts";
import type { PlannedChange } from "../../../operator/gateway/protocol.ts";
import { processorMs } from "../../fakes/processor-ms.ts";
import { aPlanReport } from "./plans.ts";

const database = { address: "module.data.aws_db_instance.main", type: "aws_db_instance" };
const bucket = { address: 'aws_s3_bucket.logs["eu.prod"]', type: "aws_s3_bucket" };

const change = (resource: typeof database, action: PlannedChange["action"]) => ({
  ...resource,
  action,
  attributes: [],
});

function aPlanThat(...changes: readonly PlannedChange[]) {
  const count = (action: string) => changes.filter((one) => one.action === action).length;
  const counts = {
    create: count("create"),
    update: count("update"),
    replace: count("replace"),
    delete: count("delete"),
  };
  return aPlanReport({ counts, changes: [...changes] });
}

describe("protect", () => {
  const cases: readonly [string, typeof database, boolean][] = [
    ["aws_db_instance", database, true],
    ["aws_db_*", database, true],
    ["*", bucket, true],
    ["aws_db", database, false],
    ["db_instance", database, false],
    ["module.data.aws_db_instance.main", database, true],
    ["module.data", database, true],
    ["module.data.*", database, true],
    ["module.dat", database, false],
    ["module.*.aws_db_instance.*", database, true],
    ["aws_db_instance.*", database, false],
    ["aws_s3_bucket.logs", bucket, true],
    ['aws_s3_bucket.logs["eu.prod"]', bucket, true],
    ['aws_s3_bucket.logs["eu"]', bucket, false],
    ["aws_s3_bucket.log", bucket, false],
    ["aws_s3_bucket.*", bucket, true],
    ["aws-s3-bucket.logs", bucket, false],
  ];
  for (const [pattern, resource, kept] of cases) {
    it(`${pattern} ${kept ? "keeps" : "does not keep"} ${resource.address}`, () => {
      assert.equal(protectedBy(resource, [pattern]), kept ? pattern : undefined);
    });
  }

  const moved: readonly [string, string, boolean][] = [
    ["module.data", "module.data.aws_db_instance.main", true],
    ["aws_db_instance.main", "aws_db_instance.main[0]", true],
    ["aws_db_*", 'module.a["b.c"].aws_db_instance.main["[d].e"]', true],
    ["aws_s3_bucket", "module.data.aws_db_instance.main", false],
    ["module.web", "module.data.aws_db_instance.main", false],
  ];
  for (const [pattern, previousAddress, kept] of moved) {
    it(`${pattern} ${kept ? "keeps" : "does not keep"} what has been ${previousAddress} until now, and is moved and replaced`, () => {
      const main = { address: "module.storage.other_database.main", previousAddress, type: "other_database" };
      const offence = offenceOf(aPlanThat({ ...main, action: "replace", attributes: [] }), { protect: [pattern] });
      assert.equal(offence?.reason, kept ? "Protected" : undefined);
      if (kept) assert.ok(offence?.message.includes(`${main.address}, until now ${previousAddress} (replace)`));
    });
  }

  for (const action of ["delete", "replace"] as const) {
    it(`refuses a plan that would ${action} a match, and names it`, () => {
      const offence = offenceOf(aPlanThat(change(bucket, "update"), change(database, action)), {
        protect: ["aws_s3_bucket", "aws_db_instance"],
      });
      assert.equal(offence?.reason, "Protected");
      assert.match(offence?.message ?? "", new RegExp(`module\\.data\\.aws_db_instance\\.main \\(${action}\\)`));
      assert.match(offence?.message ?? "", /aws_db_instance keeps the first/);
    });
  }

  for (const action of ["create", "update", "forget", "move", "import"] as const) {
    it(`lets a plan ${action} a match`, () => {
      assert.equal(offenceOf(aPlanThat(change(database, action)), { protect: ["*"] }), undefined);
    });
  }

  it("names the first three and counts the others", () => {
    const many = Array.from({ length: 5 }, (_, at) => change({ ...bucket, address: `aws_s3_bucket.b${at}` }, "delete"));
    const { message } = offenceOf(aPlanThat(...many), { protect: ["aws_s3_bucket"] }) ?? {};
    assert.match(message ?? "", /b0 \(delete\), aws_s3_bucket.b1 \(delete\), aws_s3_bucket.b2 \(delete\) and 2 more;/);
  });

  it("refuses what it cannot see: changes that are not listed, and addresses that are cut or hold a secret", () => {
    const unlisted = {
      ...aPlanThat(change(bucket, "delete")),
      counts: { create: 0, update: 0, replace: 1, delete: 1 },
    };
    assert.match(
      offenceOf(unlisted, { protect: ["aws_db_instance"] })?.message ?? "",
      /1 resources more than could be/,
    );
    const { changes: _none, ...silent } = unlisted;
    assert.equal(offenceOf(silent, { protect: ["aws_db_instance"] })?.reason, "Protected");
    const long = { ...database, address: `module.data["${"k".repeat(1024)}` };
    const cut = aPlanThat(change({ ...long, address: long.address.slice(0, 1024) }, "replace"));
    assert.equal(offenceOf(cut, { protect: ["module.*.aws_db_instance.main"] })?.reason, "Protected");
    assert.equal(offenceOf(cut, { protect: ["aws_s3_bucket"] }), undefined);
    const hidden = change({ address: 'aws_s3_bucket.b["(sensitive)"]', type: "aws_s3_bucket" }, "delete");
    assert.equal(offenceOf(aPlanThat(hidden), { protect: ["aws_db_instance.main"] })?.reason, "Protected");
    assert.equal(offenceOf(aPlanThat(hidden), { protect: ["aws_db_instance"] }), undefined);
  });

  it("does not mind creations that are not listed", () => {
    const plan = { ...aPlanThat(), counts: { create: 9, update: 9, replace: 0, delete: 0 }, changesTruncated: true };
    assert.equal(offenceOf(plan, { protect: ["*"] }), undefined);
  });

  it("finds a pattern in what was made from it", () => {
    const part = fc.string({ maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(part, part), { minLength: 1, maxLength: 5 }), part, (pairs, end) => {
        const pattern = `a.${pairs.map(([literal]) => `${literal.replaceAll("*", "")}*`).join("")}${end}`;
        const address = `a.${pairs.map(([literal, text]) => `${literal.replaceAll("*", "")}${text}`).join("")}${end}`;
        assert.equal(protectedBy({ address, type: "thing" }, [pattern]), pattern);
      }),
    );
  });

  it("takes no time for a nasty pattern", () => {
    const began = processorMs();
    assert.equal(protectedBy({ address: `a.${"a".repeat(1_000)}`, type: "a" }, [`a.${"*a".repeat(100)}*b`]), undefined);
    assert.ok(processorMs() - began < 100);
  });

  it("always keeps what is written out in full, whatever characters it has", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        const address = `thing.${name}`;
        assert.equal(protectedBy({ address, type: "thing" }, [address]), address);
      }),
    );
  });
});

describe("maxDeletes", () => {
  const plan = aPlanThat(change(bucket, "delete"), change(database, "replace"), change(bucket, "update"));
  it("counts what is deleted and what is replaced", () => {
    assert.equal(offenceOf(plan, { maxDeletes: 2 }), undefined);
    const offence = offenceOf(plan, { maxDeletes: 1 });
    assert.equal(offence?.reason, "TooManyDeletes");
    assert.match(offence?.message ?? "", /destroys 2 resources \(1 to delete, 1 to replace\) and maxDeletes is 1/);
  });
  it("of 0 lets nothing be destroyed", () => {
    assert.equal(offenceOf(plan, { maxDeletes: 0 })?.reason, "TooManyDeletes");
    assert.equal(offenceOf(aPlanThat(change(bucket, "update")), { maxDeletes: 0 }), undefined);
  });
  it("that nobody set refuses nothing", () => assert.equal(offenceOf(plan, {}), undefined));
});
