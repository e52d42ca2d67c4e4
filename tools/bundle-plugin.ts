/** Bundles the plugin for kubectl: `npm run plugin` writes dist/plugin/kubectl-terrarium.cjs, or the file that it is given. */
import { mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { BundleFailed, bundlePlugin, checkout } from "./bundle.ts";

if (import.meta.main) {
  const { bin, version } = (await import("../package.json", { with: { type: "json" } })).default;
  const [asked] = process.argv.slice(2);
  const file = asked === undefined ? join(checkout, bin["kubectl-terrarium"]) : resolve(asked);
  try {
    await mkdir(dirname(file), { recursive: true });
    await bundlePlugin(file, version);
    console.log(file);
  } catch (error) {
    console.error(error instanceof BundleFailed ? error.message : error);
    process.exitCode = 1;
  }
}
