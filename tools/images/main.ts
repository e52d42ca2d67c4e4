/** `npm run images`: builds the images of this checkout for the local cluster and says where they are. */
import { parseArgs } from "node:util";
import { BundleFailed, MissingProgram } from "../bundle.ts";
import { CommandFailed } from "../cluster/command.ts";
import { type BuiltImage, buildImages } from "./build.ts";
import { type EngineName, engines } from "./engines.ts";

const help = `npm run images [-- --engine opentofu|terraform ...] [--json]

Builds the images of the operator, the git server of the demo, and a runner for each engine (default: both),
without Docker or a registry. They are kept as oci-archives; what has not changed is not built again.

  --engine NAME   only the runner of this engine; may be repeated
  --json          names, archives and digests as JSON on standard output

Load one into the local cluster with \`npm run cluster load NAME\`, or anywhere with \`ctr images import ARCHIVE\`.
People with a registry: see the first lines of the Dockerfile.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      engine: { type: "string", multiple: true },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(help);
  const wanted = (values.engine ?? Object.keys(engines)).map(engineName);
  const images = await buildImages({ engines: wanted, progress: (text) => console.error(text) });
  if (values.json) return console.log(JSON.stringify(images, null, 2));
  for (const image of [images.operator, images.gitserver, ...images.runners]) console.log(describe(image));
}

function describe({ name, digest, archive }: BuiltImage): string {
  return `${name}\n  ${digest}\n  ${archive}`;
}

function engineName(text: string): EngineName {
  if (text === "opentofu" || text === "terraform") return text;
  throw new TypeError(`--engine ${text}: it is opentofu or terraform`);
}

try {
  await main();
} catch (error) {
  const expected = [MissingProgram, BundleFailed, CommandFailed, TypeError].some((kind) => error instanceof kind);
  console.error(expected && error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
