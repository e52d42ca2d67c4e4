/** Terrarium's own installation, taken away and brought back as an administrator does it. */
import { installOperator } from "../../../tools/demo/operator.ts";
import { operatorNamespace } from "./installation.ts";
import { untilNoOperatorIsLeft } from "./operator-pods.ts";
import type { Place } from "./place.ts";

/** The installation is gone for as long as `meanwhile` takes; then it is made again, with the same values. */
export async function uninstalledWhile(place: Place, meanwhile: () => Promise<void>): Promise<void> {
  const { kubectl } = place.installation;
  const ofRelease = ["terrarium", "--namespace", operatorNamespace];
  const values = JSON.parse(await kubectl.helm(["get", "values", ...ofRelease, "--output", "json"], "")) as object;
  try {
    await kubectl.helm(["uninstall", ...ofRelease, "--wait", "--timeout", "2m"], "");
    await untilNoOperatorIsLeft(place);
    await meanwhile();
  } finally {
    await installOperator(kubectl, values);
  }
}
