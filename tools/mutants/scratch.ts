import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Edit, edited } from "./mutant.ts";

/** A copy of the checkout in which code may be spoilt. */
export interface Scratch {
  readonly folder: string;
  /** Spoils the copy for as long as `work` takes. */
  spoilt<T>(edits: readonly Edit[], work: () => Promise<T>): Promise<T>;
  remove(): void;
}

export function makeScratch(root: string): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "terrarium-mutants-"));
  const listed = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  if (listed.status !== 0) throw new Error(`git ls-files: ${listed.stderr}`);
  for (const file of listed.stdout.split("\n").filter((name) => name !== "")) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    // A file that was deleted and not committed is still listed.
    cpSync(join(root, file), join(folder, file), { errorOnExist: false });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    async spoilt(edits, work) {
      const before = new Map<string, string>();
      try {
        for (const edit of edits) {
          const path = join(folder, edit.file);
          const text = readFileSync(path, "utf8");
          if (!before.has(path)) before.set(path, text);
          writeFileSync(path, edited(text, edit));
        }
        return await work();
      } finally {
        for (const [path, text] of before) writeFileSync(path, text);
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
