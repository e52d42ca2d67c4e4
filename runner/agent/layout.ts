/** Where the agent finds and leaves things; tests hand over another one. */
import { POD_PATHS, STATE_PORT } from "../pod-layout.ts";

export type PodLayout = { readonly [K in keyof typeof POD_PATHS]: string } & {
  readonly statePort: number;
  readonly terminationLog: string;
  /** Certificates of the image, to which those of the Run are added. */
  readonly publicCertificates: string;
};

export const podLayout: PodLayout = {
  ...POD_PATHS,
  statePort: STATE_PORT,
  terminationLog: "/dev/termination-log",
  publicCertificates: "/etc/ssl/certs/ca-certificates.crt",
};

/** Names inside the volumes that agent and launcher share. */
export const FILES = {
  /** In `out`: the plan, and what `show -json` says about it. */
  plan: "plan.tfplan",
  planDocument: "plan.json",
  /** In `secrets`. */
  variables: "terrarium.tfvars.json",
  ephemeralVariables: "terrarium.ephemeral.tfvars.json",
  gitConfig: "gitconfig",
  certificates: "ca-bundle.crt",
} as const;
