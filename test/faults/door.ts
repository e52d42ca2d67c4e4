import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** As a Service is: one address, whatever process is behind it. */
export interface Door {
  readonly url: string;
  /** Connections to what was there before break, and it answers on none of them any more. Undefined: nobody is there. */
  leadTo(url: string | undefined): void;
  close(): Promise<void>;
}

export async function openDoor(): Promise<Door> {
  const host = "127.0.0.1";
  const open = new Set<Socket>();
  let port: number | undefined;
  const server = createServer((incoming) => {
    if (port === undefined) return void incoming.destroy();
    const outgoing = connect(port, host);
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      open.add(one);
      one.once("error", () => other.destroy());
      one.once("close", () => {
        open.delete(one);
        other.destroySoon();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const slam = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `https://${host}:${(server.address() as AddressInfo).port}`,
    leadTo(url) {
      slam();
      port = url === undefined ? undefined : Number(new URL(url).port);
    },
    async close() {
      slam();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
