/** The line stream of `plan -json`, `apply -json` and `init -json` of both engines becomes typed events. */
import { z } from "zod";

const position = z.object({ line: z.number(), column: z.number().optional() });

const diagnosticFields = z.object({
  severity: z.string(),
  summary: z.string(),
  detail: z.string().default(""),
  address: z.string().optional(),
  range: z.object({ filename: z.string(), start: position }).nullish(),
});

const resource = z.object({ addr: z.string(), resource_type: z.string().default("") });
const hook = z.object({
  resource,
  action: z.string().default(""),
  id_key: z.string().optional(),
  id_value: z.string().optional(),
  elapsed_seconds: z.number().default(0),
});

const lines = {
  version: z.object({ terraform: z.string().optional(), tofu: z.string().optional() }),
  planned_change: z.object({ change: z.object({ resource, action: z.string() }) }),
  resource_drift: z.object({ change: z.object({ resource, action: z.string() }) }),
  change_summary: z.object({
    changes: z.object({
      add: z.number().default(0),
      change: z.number().default(0),
      remove: z.number().default(0),
      import: z.number().default(0),
      operation: z.string(),
    }),
  }),
  apply_start: z.object({ hook }),
  apply_progress: z.object({ hook }),
  apply_complete: z.object({ hook }),
  apply_errored: z.object({ hook }),
  diagnostic: z.object({ diagnostic: diagnosticFields }),
  outputs: z.object({
    outputs: z.record(z.string(), z.object({ sensitive: z.boolean().default(false), action: z.string().optional() })),
  }),
} as const;

export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly detail: string;
  readonly address?: string;
  readonly file?: string;
  readonly line?: number;
}

/** What happened to one resource; `idKey` and `id` are what `import` needs when the state was lost. */
export interface ResourceProgress {
  readonly type: "ApplyStart" | "ApplyProgress" | "ApplyComplete" | "ApplyErrored";
  readonly address: string;
  /** `create`, `update`, `delete`, … as the engine says it. */
  readonly action: string;
  readonly idKey?: string;
  readonly id?: string;
  readonly elapsedSeconds: number;
}

export type EngineEvent =
  | { readonly type: "Version"; readonly version: string }
  | { readonly type: "PlannedChange" | "Drift"; readonly address: string; readonly action: string }
  | {
      readonly type: "ChangeSummary";
      readonly operation: string;
      readonly add: number;
      readonly change: number;
      readonly remove: number;
      readonly import: number;
    }
  | ResourceProgress
  | { readonly type: "Diagnostic"; readonly diagnostic: Diagnostic }
  /** Names only: the stream lacks the values of sensitive outputs, and the state has them all. */
  | { readonly type: "Outputs"; readonly names: readonly string[] }
  /** Everything else, as a person should read it. */
  | { readonly type: "Text"; readonly text: string };

export interface JournalEntry {
  readonly event: "start" | "complete" | "errored";
  readonly address: string;
  readonly action: string;
  readonly idKey?: string;
  readonly id?: string;
  readonly elapsedSeconds: number;
}

const progressTypes = {
  apply_start: "ApplyStart",
  apply_progress: "ApplyProgress",
  apply_complete: "ApplyComplete",
  apply_errored: "ApplyErrored",
} as const;

/** Parses one line; what is not an event of this version is passed through as text. */
export function parseEvent(line: string): EngineEvent {
  const message = parseObject(line);
  if (message === undefined) return { type: "Text", text: line };
  const text = typeof message["@message"] === "string" ? message["@message"] : line;
  const type = message.type;
  if (typeof type !== "string" || !Object.hasOwn(lines, type)) return { type: "Text", text };
  return typedEvent(type as keyof typeof lines, message) ?? { type: "Text", text };
}

/** What a run's journal keeps. Reading a data source makes nothing, so it is left out. */
export function journalEntry(event: EngineEvent): JournalEntry | undefined {
  const kinds = { ApplyStart: "start", ApplyComplete: "complete", ApplyErrored: "errored" } as const;
  if (event.type !== "ApplyStart" && event.type !== "ApplyComplete" && event.type !== "ApplyErrored") return undefined;
  const { type, ...facts } = event;
  if (facts.action === "read") return undefined;
  return { event: kinds[type], ...facts };
}

/** Lines that must survive whatever happens to the one who reads them: the launcher decides without parsing the rest. */
export function isJournalLine(line: string): boolean {
  return /"type":"(apply_start|apply_complete|apply_errored|diagnostic|change_summary)"/.test(line);
}

function typedEvent(type: keyof typeof lines, message: unknown): EngineEvent | undefined {
  switch (type) {
    case "version": {
      const { data } = lines.version.safeParse(message);
      const version = data?.tofu ?? data?.terraform;
      return version === undefined ? undefined : { type: "Version", version };
    }
    case "planned_change":
    case "resource_drift": {
      const change = lines[type].safeParse(message).data?.change;
      if (change === undefined) return undefined;
      const kind = type === "planned_change" ? "PlannedChange" : "Drift";
      return { type: kind, address: change.resource.addr, action: change.action };
    }
    case "change_summary": {
      const changes = lines.change_summary.safeParse(message).data?.changes;
      return changes === undefined ? undefined : { type: "ChangeSummary", ...changes };
    }
    case "diagnostic": {
      const fields = lines.diagnostic.safeParse(message).data?.diagnostic;
      return fields === undefined ? undefined : { type: "Diagnostic", diagnostic: diagnosticOf(fields) };
    }
    case "outputs": {
      const outputs = lines.outputs.safeParse(message).data?.outputs;
      return outputs === undefined ? undefined : { type: "Outputs", names: Object.keys(outputs).sort() };
    }
    default:
      return progress(type, message);
  }
}

function progress(type: keyof typeof progressTypes, message: unknown): ResourceProgress | undefined {
  const found = lines[type].safeParse(message).data?.hook;
  if (found === undefined) return undefined;
  return {
    type: progressTypes[type],
    address: found.resource.addr,
    action: found.action,
    ...(found.id_key === undefined ? {} : { idKey: found.id_key }),
    ...(found.id_value === undefined ? {} : { id: found.id_value }),
    elapsedSeconds: found.elapsed_seconds,
  };
}

/** The snippet is left behind on purpose: it prints values of variables in clear. */
function diagnosticOf({ severity, summary, detail, address, range }: z.infer<typeof diagnosticFields>): Diagnostic {
  return {
    severity: severity === "warning" ? "warning" : "error",
    summary,
    detail,
    ...(address === undefined ? {} : { address }),
    ...placeOf(detail, range),
  };
}

/** Of a bad value Terraform shows the file of values, which nobody wrote by hand; the module's own place is in the text. */
const OWN_PLACE = /\b(?:declared|checked by the validation rule) at (\S+?):(\d+),/;
const FILE_OF_VALUES = /\.tfvars\.json$/;

function placeOf(detail: string, range: z.infer<typeof diagnosticFields>["range"]): Pick<Diagnostic, "file" | "line"> {
  const shown = range === null || range === undefined ? {} : { file: range.filename, line: range.start.line };
  if (shown.file !== undefined && !FILE_OF_VALUES.test(shown.file)) return shown;
  const [, file, line] = OWN_PLACE.exec(detail) ?? [];
  return file === undefined ? shown : { file, line: Number(line) };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
