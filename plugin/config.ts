/** What the environment says to a program on a terminal. */
export interface Config {
  readonly version: string;
  readonly mayColour: boolean;
  /** Files, as kubectl takes them from $KUBECONFIG. */
  readonly kubeconfigs: string | undefined;
}

export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  return {
    version: process.env.TERRARIUM_BUILD_VERSION ?? "dev",
    mayColour: (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb",
    kubeconfigs: env.KUBECONFIG,
  };
}
