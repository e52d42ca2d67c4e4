import { type Import, type SourceFile, withoutComments } from "./imports.ts";

export interface Violation {
  readonly path: string;
  readonly line: number;
  readonly problem: string;
}

/** One sentence about who may import or say what. */
interface Boundary {
  readonly applies: (path: string) => boolean;
  readonly forbidsImport?: (imported: Import) => boolean;
  /** Matched against the code without its comments. */
  readonly forbidsText?: RegExp;
  readonly because: string;
}

const PURE = /^operator\/(environment|run|approval|engine|schedule)\//;
/** Of these folders the pure ones may take the data and the verbs, and nothing that acts by itself. */
const PORTS =
  /^operator\/(cluster\/(ports|kinds|resources)|storage\/(port|record|record-of-applies)|loop\/(clock|outcome))\.ts$/;
const ACTING = /^operator\/(cluster|storage|loop|telemetry|gateway)\//;
const OUTSIDE =
  /^(node:(fs|http|https|http2|net|tls|dgram|dns|child_process|worker_threads|timers|os|process)(\/|$)|fastify$|pino$|prom-client$)/;

const isPure = (path: string) => PURE.test(path);
const isProgram = (path: string) => /\/main\.ts$/.test(path);

/** What the plugin shows, and what it makes of what it read. */
const isShown = (path: string) => /^plugin\/(reading|view)\//.test(path);
/** Of the operator the plugin shares the words, the dependencies of components, the length of a life, the hours of changes, and the way to an API server. */
const SHARED_WITH_PLUGIN =
  /^operator\/(api|cluster)\/|^operator\/(environment\/graph|schedule\/(lifetime|gate)|loop\/clock)\.ts$/;

const BOUNDARIES: readonly Boundary[] = [
  {
    applies: (path) => !path.startsWith("operator/cluster/"),
    forbidsImport: ({ target }) => target.startsWith("@kubernetes/"),
    because: "only operator/cluster speaks to Kubernetes: use its ports",
  },
  {
    applies: (path) => path.startsWith("operator/") && !/^operator\/(cluster|resolver)\//.test(path),
    forbidsImport: ({ target }) => target === "undici",
    because: "only operator/cluster sends requests to the API server, and only operator/resolver to anybody else",
  },
  {
    applies: isPure,
    forbidsImport: ({ target }) => OUTSIDE.test(target),
    because: "decisions get data and ports: no file system, network, processes, logger or metrics here",
  },
  {
    applies: isPure,
    forbidsImport: ({ target, typeOnly }) => !typeOnly && ACTING.test(target) && !PORTS.test(target),
    because: "decisions get data and ports: take the type, and let assemble.ts hand over the thing",
  },
  {
    applies: isPure,
    forbidsText:
      /\bDate\.now\(|\bnew Date\(\)|\bset(Timeout|Interval|Immediate)\(|\bperformance\.now\(|\bMath\.random\(/,
    because: "decisions get the time (and chance) as data: no clock here",
  },
  {
    applies: isPure,
    forbidsText: /\bconsole\.|\bprocess\./,
    because: "decisions say what they mean in their result: no console and no process here",
  },
  {
    applies: (path) => !/(^|\/)config\.ts$/.test(path),
    forbidsText: /\bprocess\.env\b/,
    because: "settings are read in config.ts, once",
  },
  {
    applies: () => true,
    forbidsImport: ({ target }) => /^(operator|runner)\/(.*\/)?main\.ts$/.test(target),
    because: "main.ts is where a program starts: nothing imports it",
  },
  {
    applies: (path) => !isProgram(path) && !/\/assemble[^/]*\.ts$/.test(path),
    forbidsImport: ({ target }) => /^(operator|runner)\/(.*\/)?assemble\.ts$/.test(target),
    because: "assemble.ts joins the parts: no part knows it",
  },
  {
    applies: (path) => path.startsWith("operator/api/"),
    forbidsImport: ({ target }) => target.startsWith("operator/") && !target.startsWith("operator/api/"),
    because: "operator/api is what everybody builds on: it builds on nobody",
  },
  {
    applies: (path) => path.startsWith("plugin/"),
    forbidsImport: ({ target }) =>
      /^(undici$|runner\/|tools\/)/.test(target) ||
      (target.startsWith("operator/") && !SHARED_WITH_PLUGIN.test(target)),
    because: "the plugin is a person's hand: it has operator/api, operator/cluster and the person's own rights",
  },
  {
    applies: (path) => !path.startsWith("plugin/"),
    forbidsImport: ({ target }) => target.startsWith("plugin/"),
    because: "the plugin uses the operator's words, and nothing uses the plugin",
  },
  {
    applies: isShown,
    forbidsImport: ({ target }) => OUTSIDE.test(target),
    because: "what is shown is made of what was read: no file system, network or processes here",
  },
  {
    applies: isShown,
    forbidsImport: ({ target, typeOnly }) => !typeOnly && target.startsWith("operator/cluster/") && !PORTS.test(target),
    because: "what is shown is made of what was read: plugin/commands read it",
  },
  {
    applies: isShown,
    forbidsText: /\bDate\.now\(|\bnew Date\(\)|\bset(Timeout|Interval|Immediate)\(|\bconsole\.|\bprocess\./,
    because: "what is shown is made of what was read: no clock, console or process here",
  },
];

/** Every place that crosses a boundary. */
export function boundaryViolations(
  files: readonly SourceFile[],
  boundaries: readonly Boundary[] = BOUNDARIES,
): readonly Violation[] {
  return files.flatMap((file) =>
    boundaries.filter((boundary) => boundary.applies(file.path)).flatMap((boundary) => crossings(file, boundary)),
  );
}

function crossings(file: SourceFile, boundary: Boundary): readonly Violation[] {
  const imports = file.imports
    .filter((imported) => boundary.forbidsImport?.(imported) ?? false)
    .map(({ target, line }) => ({ path: file.path, line, problem: `imports ${target}: ${boundary.because}` }));
  return [...imports, ...sayings(file, boundary)];
}

function sayings(file: SourceFile, { forbidsText, because }: Boundary): readonly Violation[] {
  if (forbidsText === undefined) return [];
  return withoutComments(file.text)
    .split("\n")
    .flatMap((text, index) => {
      const said = forbidsText.exec(text)?.[0];
      return said === undefined ? [] : [{ path: file.path, line: index + 1, problem: `says ${said}: ${because}` }];
    });
}
