import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { makeCertificate } from "./x509.ts";

/** Certificate and private key, both in PEM. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

export interface TlsMaterial {
  readonly authority: Identity;
  readonly server: Identity;
}

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
const SERVER_DAYS = 90;
/** A third of its life is left when a server certificate is made anew. */
const RENEW_DAYS = 30;
/** Clocks of nodes differ. */
const SKEW_MS = DAY_MS;

const AUTHORITY_NAME = "terrarium gateway authority";
const SERVER_NAME = "terrarium gateway";

/** Exactly what is there, while it serves these hosts for long enough; otherwise with what is new. */
export function renewed(current: TlsMaterial | undefined, hosts: readonly string[], now: Date): TlsMaterial {
  const authority = isGoodAuthority(current?.authority, now) ? current?.authority : undefined;
  if (current === undefined || authority === undefined) return newMaterial(hosts, now);
  return isGoodServer(current, hosts, now) ? current : { authority, server: newServer(authority, hosts, now) };
}

function newMaterial(hosts: readonly string[], now: Date): TlsMaterial {
  const { publicKey, privateKey } = newKeys();
  const certificate = makeCertificate({
    subject: AUTHORITY_NAME,
    publicKey,
    ...validity(now, AUTHORITY_DAYS),
    issuer: { name: AUTHORITY_NAME, key: privateKey },
    use: { type: "authority" },
  });
  const authority = { certificate, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
  return { authority, server: newServer(authority, hosts, now) };
}

function newServer(authority: Identity, hosts: readonly string[], now: Date): Identity {
  const { publicKey, privateKey } = newKeys();
  const certificate = makeCertificate({
    subject: SERVER_NAME,
    publicKey,
    ...validity(now, SERVER_DAYS),
    issuer: { name: AUTHORITY_NAME, key: createPrivateKey(authority.key) },
    use: { type: "server", hosts },
  });
  return { certificate, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

const newKeys = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });

const validity = (now: Date, days: number) => ({
  notBefore: new Date(now.getTime() - SKEW_MS),
  notAfter: new Date(now.getTime() + days * DAY_MS),
});

const daysLeft = (certificate: X509Certificate, now: Date): number =>
  (Date.parse(certificate.validTo) - now.getTime()) / DAY_MS;

/** It must outlive every certificate that it signs. */
function isGoodAuthority(authority: Identity | undefined, now: Date): boolean {
  return (
    authority !== undefined && daysLeft(new X509Certificate(authority.certificate), now) > SERVER_DAYS + RENEW_DAYS
  );
}

function isGoodServer({ authority, server }: TlsMaterial, hosts: readonly string[], now: Date): boolean {
  const certificate = new X509Certificate(server.certificate);
  const names = (certificate.subjectAltName ?? "").split(", ").map((name) => name.replace(/^(DNS|IP Address):/, ""));
  return (
    certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
    hosts.every((host) => names.includes(host)) &&
    daysLeft(certificate, now) > RENEW_DAYS
  );
}
