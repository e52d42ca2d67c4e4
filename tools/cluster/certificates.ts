import { access, mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";

/** A certificate that a cluster's own authority signs. */
export interface CertificateRequest {
  readonly file: string;
  readonly user: string;
  readonly group?: string;
  readonly authority: "ca" | "front-proxy-ca";
  /** DNS names and addresses of a server; none for a client. */
  readonly hosts?: readonly string[];
}

const DAYS = "3650";
const ELLIPTIC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** What a cluster needs: a certificate for each part that others must recognise. */
export function clusterCertificates(
  nodeName: string,
  apiServerHosts: readonly string[],
  nodeAddress: string,
): CertificateRequest[] {
  const client = (file: string, user: string, group?: string): CertificateRequest => ({
    file,
    user,
    authority: "ca",
    ...(group === undefined ? {} : { group }),
  });
  const names = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
  ];
  return [
    { file: "apiserver", user: "kube-apiserver", authority: "ca", hosts: [...names, "127.0.0.1", ...apiServerHosts] },
    {
      file: "kubelet-server",
      user: `system:node:${nodeName}`,
      group: "system:nodes",
      authority: "ca",
      hosts: [nodeName, nodeAddress],
    },
    { file: "front-proxy-client", user: "front-proxy-client", authority: "front-proxy-ca" },
    client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
    client("admin", "kubernetes-admin", "system:masters"),
    client("kube-controller-manager", "system:kube-controller-manager"),
    client("kube-scheduler", "system:kube-scheduler"),
    client("kube-proxy", "system:kube-proxy"),
    client("kubelet", `system:node:${nodeName}`, "system:nodes"),
    client("coredns", "system:coredns"),
  ];
}

/** Makes authorities, the key for ServiceAccount tokens and the certificates. Those that exist stay. */
export async function ensureCertificates(directory: string, requests: readonly CertificateRequest[]): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await Promise.all([
    makeAuthority(directory, "ca"),
    makeAuthority(directory, "front-proxy-ca"),
    makeServiceAccountKey(directory),
  ]);
  await Promise.all(requests.map((request) => makeCertificate(directory, request)));
}

async function makeAuthority(directory: string, name: string): Promise<void> {
  await once(directory, name, async (key, certificate) => {
    const config = await writeConfig(
      directory,
      name,
      "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash",
    );
    await sign(config, `/CN=terrarium-${name}`, key, certificate);
  });
}

async function makeServiceAccountKey(directory: string): Promise<void> {
  await once(directory, "service-accounts", async (key, publicKey) => {
    await command("openssl", ["genrsa", "-out", key, "2048"]);
    await command("openssl", ["rsa", "-in", key, "-pubout", "-out", publicKey]);
  });
}

async function makeCertificate(directory: string, request: CertificateRequest): Promise<void> {
  await once(directory, request.file, async (key, certificate) => {
    const config = await writeConfig(directory, request.file, leafExtensions(request.hosts));
    const authority = join(directory, request.authority);
    const subject = `${request.group === undefined ? "" : `/O=${request.group}`}/CN=${request.user}`;
    await sign(config, subject, key, certificate, ["-CA", `${authority}.crt`, "-CAkey", `${authority}.key`]);
  });
}

/** Makes a key and its certificate, which signs itself where no authority is named. */
async function sign(
  config: string,
  subject: string,
  key: string,
  certificate: string,
  authority: readonly string[] = [],
): Promise<void> {
  const shape = ["-config", config, "-days", DAYS, "-subj", subject];
  await command("openssl", ["req", "-x509", ...ELLIPTIC, ...shape, ...authority, "-keyout", key, "-out", certificate]);
}

/** Extensions in openssl's own notation. A server's certificate may be used by a client, too: kubelets are both. */
export function leafExtensions(hosts: readonly string[] | undefined): string {
  const usage = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment";
  if (hosts === undefined) return `${usage}\nextendedKeyUsage=clientAuth`;
  const names = hosts.map((host) => (/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`));
  return `${usage}\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=${names.join(",")}`;
}

async function writeConfig(directory: string, name: string, extensions: string): Promise<string> {
  const file = join(directory, `${name}.cnf`);
  await writeFile(
    file,
    `[req]\ndistinguished_name=subject\nx509_extensions=extensions\n[subject]\n[extensions]\n${extensions}\n`,
  );
  return file;
}

/** The certificate is moved into place last, so that an interrupted start makes the pair again. */
async function once(
  directory: string,
  name: string,
  make: (key: string, certificate: string) => Promise<void>,
): Promise<void> {
  const key = join(directory, `${name}.key`);
  const certificate = join(directory, `${name}.crt`);
  const present = await access(certificate).then(
    () => true,
    () => false,
  );
  if (present) return;
  await make(key, `${certificate}.new`);
  await rename(`${certificate}.new`, certificate);
}
