import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { bareImports, type SourceFile } from "./imports.ts";

/** The files that would be committed: tracked ones and new ones, but none that git ignores. */
export function checkedFiles(root: string): readonly string[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  return listed
    .toString()
    .split("\0")
    .filter((path) => path !== "" && isFile(join(root, path)));
}

/** A file that is deleted and not committed yet is still listed by git. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

export function sourceFiles(root: string, paths: readonly string[]): readonly SourceFile[] {
  return paths
    .filter((path) => /^(operator|runner|plugin)\/.*\.ts$/.test(path))
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return { path, text, imports: bareImports(path, text) };
    });
}
