import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "fixtures");

/** The engines whose real output is kept, e.g. `terraform-1.5`. */
export const recordedEngines: readonly string[] = readdirSync(root).filter((name) =>
  /^(opentofu|terraform)-/.test(name),
);

/** Those with which a file was made and taken away: they need a built provider. */
export const driftedEngines: readonly string[] = recordedEngines.filter((name) =>
  existsSync(join(root, name, "plan-drift.json")),
);

export function fixture(engine: string, name: string): string {
  const path = join(root, engine, name);
  if (!existsSync(path)) throw new Error(`no fixture ${path}: make it with test/unit/engine/fixtures/make.ts`);
  return readFileSync(path, "utf8");
}

export function fixtureLines(engine: string, name: string): string[] {
  return fixture(engine, name).split("\n");
}
