import { join } from "node:path";

/** What an API server is given, in a cluster and alone. */
export interface ApiServerSettings {
  readonly etcdUrl: string;
  readonly address: string;
  readonly port: number;
  readonly serviceRange: string;
  readonly pkiDir: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
  readonly tokenFile?: string;
}

export interface EtcdSettings {
  readonly dataDir: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

export interface ControllerManagerSettings {
  readonly kubeconfig: string;
  readonly pkiDir: string;
  readonly port: number;
  /** A folder that it may make; the usual one would be left behind on the machine. */
  readonly volumePluginDir: string;
}

const SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local";

export function etcdArguments(settings: EtcdSettings): string[] {
  return [
    `--data-dir=${settings.dataDir}`,
    `--listen-client-urls=${settings.clientUrl}`,
    `--advertise-client-urls=${settings.clientUrl}`,
    `--listen-peer-urls=${settings.peerUrl}`,
    `--initial-advertise-peer-urls=${settings.peerUrl}`,
    `--initial-cluster=default=${settings.peerUrl}`,
    // Nobody's only copy is kept here, and a disk shared with builds is slow to sync.
    "--unsafe-no-fsync",
    "--snapshot-count=5000",
    "--log-level=warn",
  ];
}

export function apiServerArguments(settings: ApiServerSettings): string[] {
  const pki = (file: string) => join(settings.pkiDir, file);
  return [
    `--etcd-servers=${settings.etcdUrl}`,
    `--bind-address=${settings.address}`,
    `--advertise-address=${settings.address}`,
    `--secure-port=${settings.port}`,
    `--service-cluster-ip-range=${settings.serviceRange}`,
    `--tls-cert-file=${pki("apiserver.crt")}`,
    `--tls-private-key-file=${pki("apiserver.key")}`,
    `--client-ca-file=${pki("ca.crt")}`,
    ...(settings.tokenFile === undefined ? [] : [`--token-auth-file=${settings.tokenFile}`]),
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    `--service-account-issuer=${SERVICE_ACCOUNT_ISSUER}`,
    `--service-account-key-file=${pki("service-accounts.crt")}`,
    `--service-account-signing-key-file=${pki("service-accounts.key")}`,
    `--kubelet-certificate-authority=${pki("ca.crt")}`,
    `--kubelet-client-certificate=${pki("apiserver-kubelet-client.crt")}`,
    `--kubelet-client-key=${pki("apiserver-kubelet-client.key")}`,
    "--kubelet-preferred-address-types=InternalIP",
    `--requestheader-client-ca-file=${pki("front-proxy-ca.crt")}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-username-headers=X-Remote-User",
    `--proxy-client-cert-file=${pki("front-proxy-client.crt")}`,
    `--proxy-client-key-file=${pki("front-proxy-client.key")}`,
    `--audit-policy-file=${settings.auditPolicy}`,
    `--audit-log-path=${settings.auditLog}`,
    "--audit-log-maxsize=200",
    "--audit-log-maxbackup=3",
    "--profiling=false",
  ];
}

export function controllerManagerArguments(settings: ControllerManagerSettings): string[] {
  const pki = (file: string) => join(settings.pkiDir, file);
  return [
    ...clientArguments(settings.kubeconfig, settings.port),
    `--requestheader-client-ca-file=${pki("front-proxy-ca.crt")}`,
    `--root-ca-file=${pki("ca.crt")}`,
    `--service-account-private-key-file=${pki("service-accounts.key")}`,
    `--cluster-signing-cert-file=${pki("ca.crt")}`,
    `--cluster-signing-key-file=${pki("ca.key")}`,
    "--use-service-account-credentials=true",
    `--flex-volume-plugin-dir=${settings.volumePluginDir}`,
  ];
}

export function schedulerArguments(kubeconfig: string, port: number): string[] {
  return clientArguments(kubeconfig, port);
}

/** There is one of each, so no election is needed, and its endpoints are for this machine only. */
function clientArguments(kubeconfig: string, port: number): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--leader-elect=false",
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    "--profiling=false",
  ];
}

/** Every request is recorded by who, what and the answer; no bodies, since these hold Secrets. */
export const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
};
