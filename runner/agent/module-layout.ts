/** Reads the module before the engine does, and adds to it what it needs here: backend, variables, lock file. */
import { mkdir, readdir, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { backendOverride, backendOverrideName } from "../../operator/engine/backend.ts";
import { type ModuleDeclaration, readModule } from "../../operator/engine/module.ts";
import { type EngineName, lockFile, moduleFileKind } from "../../operator/engine/names.ts";
import {
  missingVariablesMessage,
  undeclaredVariablesMessage,
  type VariableFile,
  variableFile,
} from "../../operator/engine/variables.ts";
import { failed } from "./ending.ts";
import { writeShared } from "./engine-secrets.ts";
import { FILES, type PodLayout } from "./layout.ts";
import { moduleFolder } from "./source.ts";
import { emptyFolder, isInside } from "./tree.ts";

export interface ModuleLayout {
  /** The engine's working directory. */
  readonly cwd: string;
  readonly variableFile: string;
  readonly ephemeralVariableFile?: string;
}

export interface ModuleOrder {
  readonly root: string;
  readonly path: string;
  readonly engine: EngineName;
  readonly overrideBackend: boolean;
  readonly values: ReadonlyMap<string, unknown>;
  /** Names of values that the module must declare. */
  readonly own: readonly string[];
  /** Versions of providers that must be used again. */
  readonly lockFile: string | undefined;
}

const largestModuleFile = 16 * 1024 * 1024;

/** Throws Ended where the engine need not even start. */
export async function layOutModule(order: ModuleOrder, layout: PodLayout): Promise<ModuleLayout> {
  const folder = await moduleFolder(order.root, order.path, order.engine);
  const names = await readdir(folder);
  const module = readModule(await moduleFiles(order.root, folder, names, order.engine), order.engine);
  refuseOwnBackend(module, order.overrideBackend);
  const variables = variableFile(order.values, module, order.own);
  // What we cannot read the engine explains better.
  if (module.unreadable.length === 0) refuseMismatch(variables, module);
  // A link in the path may lead elsewhere in the source: the overlay goes to the real folder.
  const place = relative(await realpath(order.root), await realpath(folder));
  const overlay = join(layout.in, "overlay");
  await mkdir(overlay, { recursive: true });
  await emptyFolder(overlay);
  await mkdir(join(overlay, place), { recursive: true });
  await writeFile(join(overlay, place, backendOverrideName(names, order.engine)), backendOverride);
  if (order.lockFile !== undefined) await writeFile(join(overlay, place, lockFile), order.lockFile);
  return { cwd: join(layout.work, place), ...(await writeVariables(variables, layout)) };
}

/** A misspelt name first: where it was meant for a required variable, that one is missing because of it. */
function refuseMismatch({ undeclared, missing }: VariableFile, module: ModuleDeclaration): void {
  if (undeclared.length > 0) throw failed("VariableUnknown", undeclaredVariablesMessage(undeclared, module));
  if (missing.length === 0) return;
  const diagnostics = missing
    .slice(0, 10)
    .map(({ name, file, line }) => ({ summary: `No value for required variable "${name}"`, file, line }));
  throw failed("VariableMissing", missingVariablesMessage(missing), { diagnostics });
}

async function writeVariables(
  { text, ephemeralText }: { readonly text: string; readonly ephemeralText?: string },
  layout: PodLayout,
): Promise<Omit<ModuleLayout, "cwd">> {
  const path = join(layout.secrets, FILES.variables);
  await writeShared(path, text);
  if (ephemeralText === undefined) return { variableFile: path };
  const ephemeral = join(layout.secrets, FILES.ephemeralVariables);
  await writeShared(ephemeral, ephemeralText);
  return { variableFile: path, ephemeralVariableFile: ephemeral };
}

async function moduleFiles(
  root: string,
  folder: string,
  names: readonly string[],
  engine: EngineName,
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const name of names.filter((one) => moduleFileKind(one, engine) !== undefined)) {
    const path = join(folder, name);
    // A link that leads out or nowhere is not read here; the launcher refuses or drops it.
    if (!(await isInside(root, path).catch(() => false))) continue;
    const facts = await stat(path);
    if (!facts.isFile()) continue;
    if (facts.size > largestModuleFile)
      throw failed("SourceInvalid", `the file ${JSON.stringify(name)} is too large for a module`);
    files.set(name, await readFile(path, "utf8"));
  }
  return files;
}

function refuseOwnBackend({ ownBackend }: ModuleDeclaration, overridden: boolean): void {
  if (ownBackend === undefined || overridden) return;
  const { type, file, line } = ownBackend;
  const block = type === "cloud" ? "cloud block" : `backend "${type}"`;
  throw failed(
    "BackendChoiceNeeded",
    `the module has its own ${block} (${file}:${line}). Write "state: {backend: Managed}" to store the state with Terrarium, after moving an existing state in`,
    { retry: "Never", diagnostics: [{ summary: `The module has its own ${block}`, file, line }] },
  );
}
