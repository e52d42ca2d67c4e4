import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that Linux gives to outgoing connections (32768 and up, `ip_local_port_range`) and that Kubernetes gives to Services of type
 * NodePort (30000 and up): what is free here stays free until its server listens, however many connections begin meanwhile.
 */
const PORTS = { first: 20_000, last: 29_999 } as const;

/** One after the other, so that this process hands none out twice; from anywhere, since others of its kind run beside it. */
let next = randomInt(PORTS.first, PORTS.last + 1);

/** A port for a server that is started later, perhaps as a process of its own. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  for (let tries = 0; tries <= PORTS.last - PORTS.first; tries += 1) {
    const port = next;
    next = port === PORTS.last ? PORTS.first : port + 1;
    if (await isFree(port, address)) return port;
  }
  throw new Error(`no port of ${address} from ${PORTS.first} to ${PORTS.last} is free`);
}

async function isFree(port: number, address: string): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, address), "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
