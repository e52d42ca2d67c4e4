import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";

/**
 * Writes X.509 certificates (RFC 5280) in DER: just the two shapes that a small authority needs. Node makes keys, signs, reads and verifies, but
 * does not write certificates.
 */

export interface CertificateFacts {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly issuer: { readonly name: string; readonly key: KeyObject };
  /** An authority signs others and nothing else; a server has the names and addresses at which it is reached. */
  readonly use: { readonly type: "authority" } | { readonly type: "server"; readonly hosts: readonly string[] };
}

const OID = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  basicConstraints: "551d13",
  keyUsage: "551d0f",
  extendedKeyUsage: "551d25",
  serverAuth: "2b06010505070301",
  subjectAltName: "551d11",
  subjectKeyId: "551d0e",
  authorityKeyId: "551d23",
} as const;

/** The certificate in PEM. Keys are elliptic, P-256. */
export function makeCertificate(facts: CertificateFacts): string {
  const { issuer, subject, publicKey, notBefore, notAfter } = facts;
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const body = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithm,
    distinguishedName(issuer.name),
    sequence(time(notBefore), time(notAfter)),
    distinguishedName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, sequence(...extensionsOf(facts))),
  );
  const der = sequence(body, algorithm, bitString(sign("sha256", body, issuer.key)));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function extensionsOf({ use, publicKey, issuer }: CertificateFacts): readonly Buffer[] {
  const authority = use.type === "authority";
  const keyIds = [
    extension(OID.subjectKeyId, octets(keyId(publicKey))),
    extension(OID.authorityKeyId, sequence(tlv(0x80, keyId(createPublicKey(issuer.key))))),
  ];
  const constraints = critical(OID.basicConstraints, sequence(...(authority ? [tlv(0x01, Buffer.from([0xff]))] : [])));
  // Bits from the left: keyCertSign and cRLSign are 5 and 6, digitalSignature is 0.
  const usage = critical(OID.keyUsage, tlv(0x03, Buffer.from(authority ? [1, 0b0000_0110] : [7, 0b1000_0000])));
  if (use.type === "authority") return [constraints, usage, ...keyIds];
  const server = extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth)));
  return [
    constraints,
    usage,
    server,
    ...keyIds,
    extension(OID.subjectAltName, sequence(...use.hosts.map(generalName))),
  ];
}

const keyId = (key: KeyObject): Buffer =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);

function generalName(host: string): Buffer {
  if (isIP(host) === 4) return tlv(0x87, Buffer.from(host.split(".").map(Number)));
  if (isIP(host) === 6) throw new RangeError(`${host}: IPv6 addresses are not offered in certificates; use a name`);
  return tlv(0x82, Buffer.from(host, "ascii"));
}

const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), octets(value));
const critical = (id: string, value: Buffer): Buffer =>
  sequence(oid(id), tlv(0x01, Buffer.from([0xff])), octets(value));

const distinguishedName = (commonName: string): Buffer =>
  sequence(tlv(0x31, sequence(oid(OID.commonName), tlv(0x0c, Buffer.from(commonName)))));

/** Two digits of the year until 2049, four after that, as RFC 5280 demands. */
function time(date: Date): Buffer {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  return date.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}

/** Positive and never zero. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, "hex"));
const integer = (bytes: Buffer): Buffer => tlv(0x02, bytes);
const octets = (bytes: Buffer): Buffer => tlv(0x04, bytes);
const bitString = (bytes: Buffer): Buffer => tlv(0x03, Buffer.from([0]), bytes);
const sequence = (...items: readonly Buffer[]): Buffer => tlv(0x30, ...items);

function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(value), value]);
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}
