import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Violation } from "./boundaries.ts";

/** What no file of the project says, with the reason. The patterns are in pieces, so that this file does not say it either. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, because: string])[] = [
  [new RegExp(`(?<![\\w}.])/${"work"}/(main|shared|cache|tmp)\\b`), "a path of one machine"],
  [new RegExp(`(?<![\\w}.])/${"tmp"}/${"brief"}\\b`), "a path of one machine"],
  [new RegExp(`(?<![\\w}])/(${"home"}|${"Users"})/[a-z]+/`), "somebody's home"],
  [new RegExp(`${"BEGIN"} ([A-Z]+ )?${"PRIVATE"} KEY-----\\n[A-Za-z0-9+/]{40}`), "a private key"],
];

const TEXT = /\.(ts|mjs|js|json|ya?ml|md|tpl|txt|sh|tf|hcl|toml)$|(^|\/)(Dockerfile|LICENSE|run)$/;

/** Every place that says what it should not. */
export function wordViolations(root: string, paths: readonly string[]): readonly Violation[] {
  return paths
    .filter((path) => TEXT.test(path) && path !== "package-lock.json")
    .flatMap((path) => inText(path, readFileSync(join(root, path), "utf8")));
}

export function inText(path: string, text: string): readonly Violation[] {
  return FORBIDDEN.flatMap(([pattern, because]) => {
    const found = pattern.exec(text);
    if (found === null) return [];
    const line = text.slice(0, found.index).split("\n").length;
    return [{ path, line, problem: `says ${JSON.stringify(found[0].slice(0, 40))}: ${because}` }];
  });
}
