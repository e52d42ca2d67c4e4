/** Which engines there are, and the file names that both of them give a meaning to. */

export type EngineName = "opentofu" | "terraform";

export const engineNames: readonly EngineName[] = ["opentofu", "terraform"];

/** The program's name, as its own help prints it. */
export function engineProgram(engine: EngineName): "tofu" | "terraform" {
  return engine === "opentofu" ? "tofu" : "terraform";
}

/** Left in the working directory when a state could not be handed to the backend: then it is the only copy. */
export const erroredStateFile = "errored.tfstate";

/** Records which versions and checksums of providers were chosen; kept from plan to apply. */
export const lockFile = ".terraform.lock.hcl";

export type ModuleFileKind = "native" | "json";

/** How an engine reads a file of a module directory: OpenTofu alone knows `.tofu`; `undefined` when it does not read it. */
export function moduleFileKind(name: string, engine: EngineName): ModuleFileKind | undefined {
  if (name.includes("/") || name.startsWith(".") || name.endsWith("~")) return undefined;
  if (name.startsWith("#") && name.endsWith("#")) return undefined;
  if (name.endsWith(".tf")) return "native";
  if (name.endsWith(".tf.json")) return "json";
  if (engine === "opentofu" && name.endsWith(".tofu")) return "native";
  if (engine === "opentofu" && name.endsWith(".tofu.json")) return "json";
  return undefined;
}

/** Override files are merged over the others, in the order of their names. */
export function isOverrideFile(name: string): boolean {
  const stem = name.replace(/\.(tf|tofu)(\.json)?$/, "");
  return stem === "override" || stem.endsWith("_override");
}

/** OpenTofu ignores `x.tf` when there is an `x.tofu` beside it (and `x.tf.json` beside `x.tofu.json`). */
export function isShadowed(name: string, all: readonly string[], engine: EngineName): boolean {
  if (engine !== "opentofu") return false;
  const twin = name.endsWith(".tf")
    ? name.replace(/\.tf$/, ".tofu")
    : name.endsWith(".tf.json")
      ? name.replace(/\.tf\.json$/, ".tofu.json")
      : undefined;
  return twin !== undefined && all.includes(twin);
}
