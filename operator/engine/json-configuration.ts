/** The JSON form of a configuration, brought into the shape of the native one: only the blocks that we look at. */
import { type HclAttribute, type HclBlock, type HclBody, HclUnreadable } from "./hcl.ts";

type Json = Readonly<Record<string, unknown>>;

/** How many labels a block has; everything that is not named here is an attribute. */
const rootBlocks: Readonly<Record<string, number>> = { variable: 1, output: 1, terraform: 0 };
const settingsBlocks: Readonly<Record<string, number>> = { backend: 1, cloud: 0, required_providers: 0 };

export function readJsonConfiguration(text: string): HclBody {
  let root: unknown;
  try {
    root = JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
  } catch {
    throw new HclUnreadable(1);
  }
  const blocks = objectsOf(root).flatMap((object) => blocksOf(object, rootBlocks, text));
  return { attributes: new Map(), blocks };
}

function blocksOf(object: Json, known: Readonly<Record<string, number>>, text: string): HclBlock[] {
  return Object.entries(object).flatMap(([type, value]) => {
    const labels = Object.hasOwn(known, type) ? known[type] : undefined;
    if (labels === undefined) return [];
    if (labels === 0) return objectsOf(value).map((body) => block(type, [], body, text));
    return objectsOf(value).flatMap((byLabel) =>
      Object.entries(byLabel)
        .filter(([label]) => label !== "//")
        .flatMap(([label, bodies]) => objectsOf(bodies).map((body) => block(type, [label], body, text))),
    );
  });
}

function block(type: string, labels: readonly string[], body: Json, text: string): HclBlock {
  const line = lineOf(text, labels[0] ?? type);
  const attributes = new Map<string, HclAttribute>();
  for (const [name, value] of Object.entries(body)) {
    if (name === "//" || (type === "terraform" && Object.hasOwn(settingsBlocks, name))) continue;
    attributes.set(name, { raw: JSON.stringify(value), line });
  }
  return { type, labels, line, attributes, blocks: type === "terraform" ? blocksOf(body, settingsBlocks, text) : [] };
}

/** In JSON a block is an object, or an array of objects when there are several. */
function objectsOf(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap(objectsOf);
  return typeof value === "object" && value !== null ? [value as Json] : [];
}

/** JSON.parse tells no positions: the first place where the name is a key. */
function lineOf(text: string, key: string): number {
  const at = text.search(new RegExp(`${JSON.stringify(key).replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*:`));
  return at < 0 ? 1 : text.slice(0, at).split("\n").length;
}
