/** A library of modules behind TLS, with a certificate that only a private authority vouches for. */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { renewed } from "../../../operator/gateway/authority.ts";
import { archiveOf } from "./archive.ts";

export interface PrivateLibrary {
  /** Of one module, for `source`. */
  readonly address: string;
  /** PEM, of the authority. */
  readonly authority: string;
  close(): void;
}

export async function openPrivateLibrary(
  host: string,
  files: Readonly<Record<string, string>>,
): Promise<PrivateLibrary> {
  const bytes = await archiveOf(files);
  const { authority, server: identity } = renewed(undefined, [host], new Date());
  const server = createServer({ cert: identity.certificate, key: identity.key }, (_request, response) =>
    response.writeHead(200, { "content-type": "application/gzip" }).end(bytes),
  );
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, host, resolve));
  return {
    address: `https://${host}:${(server.address() as AddressInfo).port}/module.tar.gz`,
    authority: authority.certificate,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
