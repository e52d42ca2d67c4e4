import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONDITION_TYPES, REASONS } from "../../../operator/api/conditions.ts";
import { KINDS } from "../../../tools/generate/crds.ts";
import { generatedFiles } from "../../../tools/generate/files.ts";
import { reference } from "../../../tools/generate/reference.ts";

const root = join(import.meta.dirname, "../../..");

describe("the generated files", () => {
  for (const [path, text] of generatedFiles()) {
    it(`${path} is current`, () => {
      assert.ok(existsSync(join(root, path)), "run `npm run generate`");
      assert.equal(readFileSync(join(root, path), "utf8"), text, "run `npm run generate`");
    });
  }
});

describe("the reference", () => {
  const text = reference(KINDS);
  const namesAfter = (heading: string) => {
    const section = text.slice(text.indexOf(`\n## ${heading}\n`) + 1).split("\n## ")[0] ?? "";
    return [...section.matchAll(/^\| `([A-Za-z]+)` \|/gm)].map(([, name]) => name);
  };

  it("documents every reason, and none that does not exist", () => {
    assert.deepEqual(namesAfter("Reasons"), Object.keys(REASONS));
  });

  it("documents every type of condition", () => {
    assert.deepEqual(namesAfter("Conditions"), Object.keys(CONDITION_TYPES));
  });

  it("gives every reason a sentence", () => {
    for (const [reason, { meaning }] of Object.entries(REASONS)) assert.match(meaning, /^[\s\S]{10,}\.$/, reason);
  });

  it("documents fields at every depth", () => {
    for (const path of [
      "spec.components[].terraform.variables[].valueFrom.secretKeyRef.key",
      "status.outcome.reason",
    ]) {
      assert.ok(text.includes(`| \`${path}\` |`), path);
    }
  });
});
