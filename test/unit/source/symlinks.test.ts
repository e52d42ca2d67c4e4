import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { linkEscapes } from "../../../operator/source/symlinks.ts";

describe("linkEscapes", () => {
  const table: readonly [string, string, boolean][] = [
    ["link", "file", false],
    ["link", "./a//b/", false],
    ["link", "..", true],
    ["link", ".", false],
    ["a/link", "..", false],
    ["a/link", "../b/c", false],
    ["a/link", "../../b", true],
    ["a/b/link", ".././../b", false],
    ["link", "/etc/passwd", true],
    ["link", "", true],
    ["a/b/link", "c/../d", true],
    ["link", "..hidden", false],
    ["link", "...", false],
  ];
  for (const [path, target, escapes] of table) {
    it(`${path} → ${JSON.stringify(target)} ${escapes ? "escapes" : "stays"}`, () => {
      assert.equal(linkEscapes(path, target), escapes);
    });
  }

  it("lets no set of links out of the tree, however they go through each other", () => {
    const name = fc.constantFrom("a", "b", "c");
    const step = fc.oneof(name, fc.constantFrom("..", "."));
    const link = fc.record({
      path: fc.array(name, { minLength: 1, maxLength: 3 }),
      target: fc.array(step, { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(link, { maxLength: 6 }), (links) => {
        const outside = realpathSync(mkdtempSync(join(tmpdir(), "terrarium-links-")));
        try {
          const root = join(outside, "tree");
          mkdirSync(root);
          const made = links.flatMap(({ path, target }) => makeLink(root, path.join("/"), target.join("/")));
          for (const place of made) {
            const end = whereItEnds(place);
            assert.ok(end === undefined || end === root || end.startsWith(`${root}/`), `${place} ends at ${end}`);
          }
        } finally {
          rmSync(outside, { recursive: true });
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** Makes a link that is not refused, in real folders only: git writes nothing through links either. */
function makeLink(root: string, path: string, target: string): readonly string[] {
  if (linkEscapes(path, target)) return [];
  const place = join(root, path);
  try {
    mkdirSync(dirname(place), { recursive: true });
    if (realpathSync(dirname(place)) !== dirname(place)) return [];
    symlinkSync(target, place);
    return [place];
  } catch {
    return [];
  }
}

function whereItEnds(place: string): string | undefined {
  try {
    return realpathSync(place);
  } catch {
    return undefined;
  }
}
