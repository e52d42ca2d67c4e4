import { KubeConfig } from "@kubernetes/client-node";
import { createClient } from "../../operator/cluster/client.ts";
import { connect } from "../../operator/cluster/connection.ts";
import { NotLeading } from "../../operator/cluster/errors.ts";
import { CONFIG_MAPS } from "../../operator/cluster/resources.ts";
import { createTransport } from "../../operator/cluster/transport.ts";
import { systemClock } from "../../operator/loop/clock.ts";
import { createElection } from "../../operator/loop/lease.ts";

/** A process of its own that writes its name all the time while it leads: a test freezes it. Prints what happens to it, a word a line. */
const [, , kubeconfig = "", namespace = "", identity = ""] = process.argv;
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const transport = createTransport({ connection: await connect(config), clock: systemClock });
const election = createElection({
  client: createClient(transport),
  clock: systemClock,
  namespace,
  name: "frozen",
  identity,
  leaseMs: 3_000,
  renewDeadlineMs: 2_000,
  retryMs: 200,
  onLeading: () => console.log("leading"),
  onLost: () => {
    console.log("lost");
    process.exit(0);
  },
});
void election.run(new AbortController().signal);

const guarded = createClient(transport, { mayWrite: election.isLeading });
for (;;) {
  try {
    await guarded.mergePatch(CONFIG_MAPS, namespace, "writer", {
      data: { [identity]: systemClock.now().toISOString() },
    });
  } catch (error) {
    if (error instanceof NotLeading && election.isLeading()) throw error;
  }
  await systemClock.sleep(5);
}
