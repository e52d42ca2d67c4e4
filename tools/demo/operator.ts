/** Terrarium itself, from its Helm chart. */
import { join } from "node:path";
import { checkout } from "../bundle.ts";
import type { Kubectl } from "./kubectl.ts";
import type { PlacedImages } from "./place.ts";
import { gitNamespace } from "./shop.ts";

export const operatorNamespace = "terrarium-system";

const gitServer = { matchLabels: { "kubernetes.io/metadata.name": gitNamespace } };

/** The chart's values for these images (engines by digest, so that what was planned is applied by the same bytes), and further ones. */
export function chartValues({ operator, runners }: PlacedImages, more: object = {}): object {
  return {
    image: { repository: operator.repository, digest: operator.digest },
    engines: runners.map((runner) => ({ ...runner, default: runner.name === "opentofu" })),
    // The shop's repository is inside the cluster, where the resolver may not go by itself.
    networkPolicy: { resolver: { allow: [{ to: [{ namespaceSelector: gitServer }], ports: [{ port: 8080 }] }] } },
    ...more,
  };
}

/** Installs or upgrades, and waits until the pods are ready. */
export async function installOperator(kubectl: Kubectl, values: object): Promise<void> {
  const chart = join(checkout, "charts/terrarium");
  const flags = ["--namespace", operatorNamespace, "--wait", "--timeout", "3m", "--values", "-"];
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  const metadata = { name: operatorNamespace, labels };
  await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata }));
  try {
    await kubectl.helm(["upgrade", "--install", "terrarium", chart, ...flags], JSON.stringify(values));
  } catch (error) {
    const pods = await kubectl.run(["get", "pods", "--namespace", operatorNamespace, "-o", "wide"]).catch(() => "");
    throw new Error(
      `the chart was not installed, or its pods do not become ready:\n${error instanceof Error ? error.message : error}\n${pods}` +
        `Look at: kubectl -n ${operatorNamespace} describe pods; kubectl -n ${operatorNamespace} logs deployment/terrarium-operator`,
    );
  }
}
