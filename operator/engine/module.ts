/** What a module directory declares, read from its files before any engine runs. */
import { type HclBlock, type HclBody, HclUnreadable, literalBoolean, literalString, readHcl } from "./hcl.ts";
import { readJsonConfiguration } from "./json-configuration.ts";
import { type EngineName, isOverrideFile, isShadowed, moduleFileKind } from "./names.ts";

export interface VariableDeclaration {
  readonly name: string;
  readonly hasDefault: boolean;
  readonly sensitive: boolean;
  readonly ephemeral: boolean;
  readonly nullable: boolean;
  /** The type constraint as written, e.g. `list(string)`. */
  readonly type?: string;
  readonly file: string;
  readonly line: number;
}

export interface OutputDeclaration {
  readonly name: string;
  readonly sensitive: boolean;
}

export interface OwnBackend {
  /** The backend's type, or `cloud`. */
  readonly type: string;
  readonly file: string;
  readonly line: number;
}

export interface ProviderRequirement {
  readonly name: string;
  readonly source?: string;
  readonly version?: string;
}

export interface ModuleDeclaration {
  readonly variables: readonly VariableDeclaration[];
  readonly outputs: readonly OutputDeclaration[];
  readonly ownBackend?: OwnBackend;
  readonly requiredProviders: readonly ProviderRequirement[];
  /** Files that are no configuration as far as we can read; the engine says what is wrong with them. */
  readonly unreadable: readonly { readonly file: string; readonly line: number }[];
}

interface Located {
  readonly file: string;
  readonly block: HclBlock;
}

/** `files` maps the names of the files directly in the module's directory to their text; others in it are ignored. */
export function readModule(files: ReadonlyMap<string, string>, engine: EngineName): ModuleDeclaration {
  const names = [...files.keys()].filter((name) => moduleFileKind(name, engine) !== undefined);
  const read = names.filter((name) => !isShadowed(name, names, engine)).sort(byBytes);
  const ordered = [...read.filter((name) => !isOverrideFile(name)), ...read.filter(isOverrideFile)];
  const unreadable: { file: string; line: number }[] = [];
  const blocks: Located[] = [];
  for (const file of ordered) {
    try {
      blocks.push(...readBody(file, files.get(file) ?? "", engine).blocks.map((block) => ({ file, block })));
    } catch (error) {
      if (!(error instanceof HclUnreadable)) throw error;
      unreadable.push({ file, line: error.line });
    }
  }
  const settings = blocks.filter(({ block }) => block.type === "terraform");
  const ownBackend = settings.flatMap(backendsOf).at(-1);
  return {
    variables: named(blocks, "variable").map(variable),
    outputs: named(blocks, "output").map(({ name, attribute }) => ({
      name,
      sensitive: literalBoolean(attribute("sensitive")) ?? false,
    })),
    ...(ownBackend === undefined ? {} : { ownBackend }),
    requiredProviders: requirements(settings),
    unreadable,
  };
}

function readBody(file: string, text: string, engine: EngineName): HclBody {
  return moduleFileKind(file, engine) === "json" ? readJsonConfiguration(text) : readHcl(text);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

interface Named {
  readonly name: string;
  readonly first: Located;
  /** The raw text of an attribute; override files come last and win. */
  readonly attribute: (name: string) => string | undefined;
}

function named(blocks: readonly Located[], type: string): Named[] {
  const groups = new Map<string, Located[]>();
  for (const located of blocks) {
    const [name] = located.block.labels;
    if (located.block.type !== type || name === undefined) continue;
    groups.set(name, [...(groups.get(name) ?? []), located]);
  }
  return [...groups].flatMap(([name, [first, ...others]]) => {
    if (first === undefined) return [];
    const all = [first, ...others];
    const attribute = (key: string) =>
      all.findLast(({ block }) => block.attributes.has(key))?.block.attributes.get(key)?.raw;
    return [{ name, first, attribute }];
  });
}

function variable({ name, first, attribute }: Named): VariableDeclaration {
  const type = attribute("type");
  return {
    name,
    hasDefault: attribute("default") !== undefined,
    sensitive: literalBoolean(attribute("sensitive")) ?? false,
    ephemeral: literalBoolean(attribute("ephemeral")) ?? false,
    nullable: literalBoolean(attribute("nullable")) ?? true,
    ...(type === undefined ? {} : { type: (literalString(type) ?? type).replace(/\s+/g, "") }),
    file: first.file,
    line: first.block.line,
  };
}

function backendsOf({ file, block }: Located): OwnBackend[] {
  return block.blocks.flatMap((inner) => {
    if (inner.type === "cloud") return [{ type: "cloud", file, line: inner.line }];
    if (inner.type === "backend") return [{ type: inner.labels[0] ?? "", file, line: inner.line }];
    return [];
  });
}

function requirements(settings: readonly Located[]): ProviderRequirement[] {
  const found = new Map<string, ProviderRequirement>();
  for (const { block } of settings) {
    for (const inner of block.blocks.filter(({ type }) => type === "required_providers")) {
      for (const [name, { raw }] of inner.attributes) found.set(name, requirement(name, raw));
    }
  }
  return [...found.values()];
}

/** `{ source = "…", version = "…" }`, also with `:`, or the old form: a version alone. */
function requirement(name: string, raw: string): ProviderRequirement {
  const alone = literalString(raw);
  if (alone !== undefined) return { name, version: alone };
  const field = (key: string) => {
    const match = new RegExp(`(?:^|[{,\\s])"?${key}"?\\s*[=:]\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(raw)?.[1];
    return match === undefined ? undefined : literalString(match);
  };
  const [source, version] = [field("source"), field("version")];
  return { name, ...(source === undefined ? {} : { source }), ...(version === undefined ? {} : { version }) };
}
