import { hash } from "node:crypto";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";

/** What the world's modules are told by their variables. */
export interface ModuleWish {
  /** Resources by address, with their content. */
  readonly resources: ReadonlyMap<string, string>;
  readonly output: string;
  readonly mode: string;
}

/** `size` resources whose content follows `value` and what other components gave; the output `id` follows them, too. */
export function wishOf(variables: Readonly<Record<string, unknown>>): ModuleWish {
  const { size = 1, mode = "good", value = "", ...given } = variables;
  const content = short(JSON.stringify({ value, given }));
  const resources = new Map(Array.from({ length: Number(size) }, (_, index) => [`thing.r${index}`, content] as const));
  return { resources, output: short(`${content} ${size}`), mode: String(mode) };
}

export function variablesOf(order: WorkOrder): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    order.variables.map((variable) => [variable.name, variable.kind === "value" ? variable.value : ""]),
  );
}

export const short = (text: string): string => hash("sha256", text, "hex").slice(0, 10);

/** A state as the engine keeps it: ids and contents by address. */
export interface EngineState {
  readonly lineage: string;
  readonly serial: number;
  /** By address; what was replaced and is still to be deleted, by `deposed`. */
  readonly things: ReadonlyMap<string, { readonly id: string; readonly content: string }>;
  readonly output: string | undefined;
}

export const deposed = (address: string, id: string): string => `${address}#${id}`;

export const emptyState = (lineage: string): EngineState => ({
  lineage,
  serial: 0,
  things: new Map(),
  output: undefined,
});

export function stateBytes({ lineage, serial, things, output }: EngineState): Buffer {
  const resources = [...things].map(([key, attributes]) => {
    const [address = "", old] = key.split("#");
    const [type, name] = address.split(".");
    return { mode: "managed", type, name, instances: [{ attributes, ...(old === undefined ? {} : { deposed: old }) }] };
  });
  const outputs = output === undefined ? {} : { id: { value: output, type: "string" } };
  return Buffer.from(JSON.stringify({ version: 4, terraform_version: "1.12.0", lineage, serial, outputs, resources }));
}

interface StateDocument {
  readonly lineage: string;
  readonly serial: number;
  readonly outputs: { readonly id?: { readonly value: string } };
  readonly resources: readonly {
    readonly type: string;
    readonly name: string;
    readonly instances: readonly {
      readonly attributes: { readonly id: string; readonly content: string };
      readonly deposed?: string;
    }[];
  }[];
}

export function readStateBytes(bytes: Buffer): EngineState {
  const { lineage, serial, outputs, resources } = JSON.parse(bytes.toString("utf8")) as StateDocument;
  const things = new Map(
    resources.flatMap(({ type, name, instances }) =>
      instances.map(({ attributes, deposed: old }) => {
        const address = `${type}.${name}`;
        return [old === undefined ? address : deposed(address, old), attributes] as const;
      }),
    ),
  );
  return { lineage, serial, things, output: outputs.id?.value };
}

export type Change =
  | { readonly action: "create" | "update"; readonly address: string; readonly content: string }
  /** `id`: of what was replaced, and is not at its address any more; `isLeftOver` where an apply before this one has replaced it. */
  | { readonly action: "delete"; readonly address: string; readonly id?: string; readonly isLeftOver?: boolean };

/** Of three things one is changed in place, one is deleted and made anew, and one is made anew before the old one is deleted. */
export function planOf(state: EngineState, wanted: ReadonlyMap<string, string>): readonly Change[] {
  const gone = [...state.things].filter(([key]) => !wanted.has(key));
  return [
    ...gone.map(([key, { id }]) => {
      const [address = key, old] = key.split("#");
      return { action: "delete", address, ...(old === undefined ? {} : { id, isLeftOver: true }) } as const;
    }),
    ...[...wanted].flatMap(([address, content]): readonly Change[] => {
      const known = state.things.get(address);
      if (known?.content === content) return [];
      const create = { action: "create", address, content } as const;
      if (known === undefined) return [create];
      if (address.endsWith("1")) return [{ action: "delete", address }, create];
      if (address.endsWith("2")) return [create, { action: "delete", address, id: known.id }];
      return [{ action: "update", address, content }];
    }),
  ];
}
