import { access, chmod, rm, writeFile } from "node:fs/promises";
import type { Progress } from "./binaries.ts";
import { command, succeeds } from "./command.ts";
import { withLock } from "./lock.ts";
import { lockFile } from "./paths.ts";

/** What the cluster and the images need from Debian. */
const DEBIAN_PACKAGES = [
  "buildah",
  "busybox-static",
  "ca-certificates",
  "conntrack",
  "containerd",
  "containernetworking-plugins",
  "debootstrap",
  "git",
  "iproute2",
  "iptables",
  "nftables",
  "openssl",
  "procps",
  "runc",
] as const;

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills in these fields.
const FORMAT = "${db:Status-Status} ${Package}\\n";
const SERVICE_POLICY = "/usr/sbin/policy-rc.d";

/** What the cluster and its images are made with. */
export function ensureDebianPackages(progress: Progress): Promise<void> {
  return ensurePackages(DEBIAN_PACKAGES, progress);
}

/** Installs those of the packages that are missing, and starts none of their services. */
export async function ensurePackages(wanted: readonly string[], progress: Progress): Promise<void> {
  if ((await missingPackages(wanted)).length === 0) return;
  const onWait = () => progress("waiting for another process that installs Debian packages");
  await withLock(lockFile("debian-packages"), onWait, async () => {
    const missing = await missingPackages(wanted);
    if (missing.length > 0) await install(missing, progress);
  });
}

async function missingPackages(wanted: readonly string[]): Promise<string[]> {
  if (!(await succeeds("dpkg-query", ["--version"]))) {
    throw new Error(`This is not a Debian system (no dpkg-query). Needed from its packages: ${wanted.join(" ")}`);
  }
  const listing = await command("dpkg-query", ["--show", "--showformat", FORMAT]);
  const installed = new Set(listing.split("\n").flatMap((line) => /^installed (\S+)$/.exec(line)?.[1] ?? []));
  return wanted.filter((name) => !installed.has(name));
}

async function install(packages: readonly string[], progress: Progress): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  progress("apt-get update");
  await command("apt-get", ["update", "--quiet"], { env });
  progress(`apt-get install ${packages.join(" ")}`);
  await withoutServices(() =>
    command("apt-get", ["install", "--yes", "--quiet", "--no-install-recommends", ...packages], { env }),
  );
}

/** Debian asks `policy-rc.d` whether a freshly installed service may start; 101 means no. */
async function withoutServices(work: () => Promise<unknown>): Promise<void> {
  const present = await access(SERVICE_POLICY).then(
    () => true,
    () => false,
  );
  // A policy that is there belongs to the machine's owner (container images have one that always refuses).
  if (present) {
    await work();
    return;
  }
  await writeFile(SERVICE_POLICY, "#!/bin/sh\nexit 101\n");
  await chmod(SERVICE_POLICY, 0o755);
  try {
    await work();
  } finally {
    await rm(SERVICE_POLICY, { force: true });
  }
}
