import { type GatewayClient, GatewayRefused } from "./gateway-client.ts";
import { patiently } from "./patience.ts";

/** The last resort for a state that is refused as such; a gateway that has closed the Run refuses this, too. */
export async function keepForRecovery(
  gateway: GatewayClient,
  state: Buffer,
  onAway: (message: string) => void,
): Promise<boolean> {
  try {
    await patiently(() => gateway.recovery(state), { onAway });
    return true;
  } catch (error) {
    if (!(error instanceof GatewayRefused)) throw error;
    onAway(`the gateway refuses the recovery copy: ${error.message}`);
    return false;
  }
}
