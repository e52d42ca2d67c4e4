import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LuaFactory, LuaLibraries } from "wasmoon";

const FOLDER = join(import.meta.dirname, "..", "..", "argocd", "resource_customizations", "terrarium.dev");

export interface Health {
  readonly status: string;
  readonly message: string;
}

export interface Action {
  readonly disabled: boolean;
}

export interface Impacted {
  readonly operation: string;
  readonly resource: unknown;
}

/** Argo CD's customizations of one kind, run as Argo CD runs them. */
export interface Customization {
  health(object: object): Promise<Health>;
  discovery(object: object): Promise<Readonly<Record<string, Action>>>;
  action(name: string, object: object): Promise<readonly Impacted[]>;
}

export function customizationOf(kind: string): Customization {
  const script = (...path: readonly string[]) => readFileSync(join(FOLDER, kind, ...path), "utf8");
  return {
    health: async (object) => (await runScript(script("health.lua"), object)) as Health,
    async discovery(object) {
      return (await runScript(script("actions", "discovery.lua"), object)) as Record<string, Action>;
    },
    async action(name, object) {
      const answer = await runScript(script("actions", name, "action.lua"), object);
      // One object is the source itself, changed; a list names what is to be done with each.
      return Array.isArray(answer) ? (answer as Impacted[]) : [{ operation: "patch", resource: answer }];
    },
  };
}

/**
 * As Argo CD's own VM: Lua's base and table libraries, `require("os")` with `date` and `time`, nothing else (strings have no methods), and the object
 * as a global. The answer comes back as JSON, where an empty table is a list.
 */
export async function runScript(script: string, object: object): Promise<unknown> {
  const lua = await factory.createEngine({ openStandardLibs: false });
  try {
    for (const library of [LuaLibraries.Base, LuaLibraries.Table, LuaLibraries.String, LuaLibraries.OS])
      lua.global.loadLibrary(library);
    await lua.doString(PRELUDE);
    await lua.doString(`obj = ${literal(object)}`);
    lua.global.set("script", script);
    return JSON.parse(String(await lua.doString(RUN)));
  } finally {
    lua.global.close();
  }
}

const factory = new LuaFactory();

const PRELUDE = `
local format, gsub, byte = string.format, string.gsub, string.byte
local date, time = os.date, os.time
local function quoted(text)
  return '"' .. gsub(text, '[%c"\\\\]', function(c) return format("\\\\u%04x", byte(c)) end) .. '"'
end
local function encode(value)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind ~= "table" then return tostring(value) end
  local parts = {}
  if next(value) == nil or value[1] ~= nil then
    for _, item in ipairs(value) do parts[#parts + 1] = encode(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, item in pairs(value) do parts[#parts + 1] = quoted(key) .. ":" .. encode(item) end
  return "{" .. table.concat(parts, ",") .. "}"
end
_G.encode, _G.compile = encode, load
getmetatable("").__index = nil
string, os, load, loadfile, dofile = nil, nil, nil, nil, nil
function require(name)
  if name ~= "os" then error("there is no module " .. name) end
  return { date = date, time = time }
end
`;

const RUN = `
local encode, compile, text = encode, compile, script
_G.script, _G.encode, _G.compile = nil, nil, nil
return encode(assert(compile(text, "script", "t"))())
`;

/** The object as Lua would write it; null is absence. */
function literal(value: unknown): string {
  if (value === null || value === undefined) return "nil";
  if (Array.isArray(value)) return `{${value.map(literal).join(",")}}`;
  if (typeof value === "object") {
    const fields = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null);
    return `{${fields.map(([name, inner]) => `[${quoted(name)}]=${literal(inner)}`).join(",")}}`;
  }
  return typeof value === "string" ? quoted(value) : String(value);
}

const quoted = (text: string): string =>
  `"${[...Buffer.from(text)].map((byte) => (byte > 31 && byte < 127 && byte !== 34 && byte !== 92 ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`)).join("")}"`;
