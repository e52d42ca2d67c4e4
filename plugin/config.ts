/** What the environment says to a program on a terminal. The kubeconfig's own variables are client-node's affair. */
export interface Config {
  readonly version: string;
  readonly mayColour: boolean;
}

export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  return {
    version: process.env.TERRARIUM_BUILD_VERSION ?? "dev",
    mayColour: (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb",
  };
}
