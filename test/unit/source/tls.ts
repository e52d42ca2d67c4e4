import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface ServerCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A certificate that signs itself, made by openssl (which Debian's ca-certificates brings along). */
export async function aCertificateFor(name: string): Promise<ServerCertificate> {
  const folder = await mkdtemp(join(tmpdir(), "terrarium-cert-test-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  try {
    await promisify(execFile)("openssl", ["req", ...kind, ...names, "-keyout", key, "-out", cert]);
    return { certPem: await readFile(cert, "utf8"), keyPem: await readFile(key, "utf8") };
  } finally {
    await rm(folder, { recursive: true });
  }
}
