import { z } from "zod";
import { source } from "../../operator/api/source.ts";
import { workOrder } from "../../operator/gateway/protocol.ts";

/**
 * The work order as it is read. The archive is looked for first: every member of a source is optional, so the schema of a
 * source takes any object, and leaves out what it does not know.
 */
export const receivedOrder = workOrder.extend({
  source: z.union([z.object({ archive: z.object({ digest: z.string(), size: z.int() }) }), source]),
});
