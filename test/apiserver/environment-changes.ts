import { type Api, chartApi, made, namespace, until } from "./admission-server.ts";
import { kindsIn } from "./policed-namespace.ts";

/** Environments that the API server accepts, and changes of them. */

export interface Change {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly component?: Readonly<Record<string, unknown>>;
  readonly terraform?: Readonly<Record<string, unknown>>;
}

let count = 0;

/** An Environment that the API server accepts, but for the change. */
export function anEnvironment({ spec, component, terraform }: Change = {}, name = `env-${++count}`) {
  return {
    apiVersion: "terrarium.dev/v1alpha1",
    kind: "Environment",
    metadata: { name },
    spec: {
      source: { inline: { "main.tf": 'output "x" { value = 1 }' } },
      components: [
        { name: "network", terraform: { path: ".", ...terraform }, ...component },
        { name: "database", terraform: {} },
      ],
      ...spec,
    },
  };
}

export const git = (settings: Readonly<Record<string, unknown>>): Change => ({
  spec: { source: { git: { url: "https://git.example.com/shop/infra.git", ...settings } } },
});

/** The sentence about a duration of a source or a timeout. */
export const bounded = "a duration is written as in 90s or 1h30m, and must be between 10s and 24h here";

/** Makes a namespace, and waits until Environments are known there; the answer is the API server that has it. */
export async function namespaceOfEnvironments(name: string): Promise<Api> {
  const api = await chartApi();
  await made(api.create("/api/v1/namespaces", namespace(name)));
  await until(
    () => api.get(`${kindsIn(name)}/environments`),
    ({ status }) => status === 200,
  );
  return api;
}
