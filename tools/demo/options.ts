import { parseArgs } from "node:util";

export const help = `npm run demo [-- OPTIONS]

Builds what is missing, starts a local Kubernetes cluster, installs Terrarium from its Helm chart, puts the shop's
modules into a git server inside the cluster, applies examples/shop/environment.yaml and shows what happens until
everything is Ready. Run it again at any time: what is done is not done twice.

  --name NAME             the local cluster to use (default: terrarium)
  --context NAME          use this context of your kubeconfig instead of a local cluster
  --registry HOST/PATH    where that cluster pulls images from; they are pushed there (buildah login HOST first)
  --engine NAME           opentofu (default) or terraform
  --act 2                 after that, the second act (about four minutes): a change that waits for approval, drift
                          that is found and corrected, an environment that ends by itself
  --help                  this text

Take everything away again:  npm run cluster down`;

export type Place =
  | { readonly type: "local"; readonly name: string }
  | { readonly type: "own"; readonly context: string; readonly registry: string };

export interface DemoOptions {
  readonly place: Place;
  readonly engine: "opentofu" | "terraform";
  readonly acts: 1 | 2;
}

export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What the words after `npm run demo --` ask for; undefined when they ask for help. Throws UsageError. */
export function parseOptions(args: readonly string[]): DemoOptions | undefined {
  const { name, context, registry, engine, act, help: wanted } = parse(args);
  if (wanted === true) return undefined;
  if (engine !== "opentofu" && engine !== "terraform")
    throw new UsageError(`--engine ${engine}: opentofu or terraform`);
  if (act !== "1" && act !== "2") throw new UsageError(`--act ${act}: 1 or 2`);
  const acts = act === "2" ? 2 : 1;
  if (context === undefined && registry === undefined)
    return { place: { type: "local", name: name ?? "terrarium" }, engine, acts };
  if (name !== undefined)
    throw new UsageError("--name is for a local cluster, --context for one of your own: give only one");
  if (context === undefined)
    throw new UsageError("--registry needs --context: a local cluster gets its images directly");
  if (registry === undefined) {
    throw new UsageError(
      "--context needs --registry HOST/PATH: a registry you may push to and that cluster pulls from",
    );
  }
  if (!/^[a-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._-]+)*$/.test(registry)) {
    throw new UsageError(`--registry ${registry}: write it as HOST/PATH, without https:// and without a tag`);
  }
  return { place: { type: "own", context, registry }, engine, acts };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        name: { type: "string" },
        context: { type: "string" },
        registry: { type: "string" },
        engine: { type: "string", default: "opentofu" },
        act: { type: "string", default: "1" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
