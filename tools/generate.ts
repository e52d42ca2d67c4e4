import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "./generate/files.ts";

/** `npm run generate` writes the generated files; `--check` only says which of them are not current. */

const root = join(import.meta.dirname, "..");

function current(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function main(checkOnly: boolean): number {
  const changed = [...generatedFiles()].filter(([path, text]) => current(path) !== text);
  for (const [path, text] of changed) {
    console.log(`${checkOnly ? "not current" : "written"}: ${path}`);
    if (checkOnly) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  if (checkOnly && changed.length > 0) console.log("Run `npm run generate` and commit the result.");
  return checkOnly && changed.length > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.includes("--check"));
