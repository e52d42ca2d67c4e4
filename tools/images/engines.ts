/** What the local runner images are made of besides our own programs: engines and providers, built from Go modules. */
import { cp, link, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BinaryPaths } from "../cluster/binaries.ts";
import type { BinaryGroupName } from "../cluster/binary-groups.ts";

export type EngineName = "opentofu" | "terraform";

/** One version of each is built from source here; any other comes from its public image (see the Dockerfile). */
export const engines = {
  opentofu: { tag: "opentofu-1.12", version: "1.12.6", program: "tofu", path: "usr/local/bin/tofu" },
  terraform: { tag: "terraform-1.5", version: "1.5.7", program: "terraform", path: "bin/terraform" },
} as const satisfies Record<EngineName, unknown>;

/** The same providers as in providers/versions.tf. */
export const providers = [
  { source: "gavinbunney/kubectl", version: "1.19.0", program: "terraform-provider-kubectl" },
  { source: "hashicorp/local", version: "1.4.0", program: "terraform-provider-local" },
  { source: "hashicorp/time", version: "0.14.2", program: "terraform-provider-time" },
] as const;

/** To each engine a source without a host name means the registry of its own house. */
export const registries = ["registry.opentofu.org", "registry.terraform.io"] as const;

/** What has to be compiled for the runner images of these engines. */
export function binaryGroups(wanted: readonly EngineName[]): readonly BinaryGroupName[] {
  return wanted.length === 0 ? [] : [...wanted, "provider-kubectl", "provider-local", "provider-time"];
}

/** Lays the engine's binary out as in its public image. */
export async function stageEngine(folder: string, engine: EngineName, binaries: BinaryPaths): Promise<void> {
  await place(binaryOf(binaries, engines[engine].program), join(folder, engines[engine].path));
}

/** Lays the providers out as an unpacked filesystem mirror, under the names of both registries. */
export async function stageProviders(folder: string, binaries: BinaryPaths): Promise<void> {
  const [first, ...others] = registries;
  for (const { source, version, program } of providers) {
    const platform = join(source, version, "linux_amd64");
    await place(binaryOf(binaries, program), join(folder, first, platform, `${program}_v${version}`));
    for (const registry of others) {
      const linked = join(folder, registry, platform);
      await mkdir(dirname(linked), { recursive: true });
      await symlink(join("../../../..", first, platform), linked);
    }
  }
}

function binaryOf(binaries: BinaryPaths, program: string): string {
  const path = binaries.get(program);
  if (path === undefined) throw new Error(`${program} is not among the programs that were built`);
  return path;
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  // A link costs nothing; across file systems it has to be a copy.
  await link(from, to).catch(() => cp(from, to));
}
