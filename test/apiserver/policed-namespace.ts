import { run } from "./admission-objects.ts";
import { type Api, bindPeople, chartApi, made, namespace, PEOPLE, until } from "./admission-server.ts";

/** Namespaces in which people have their rights, and the policies of the chart are in force. */

export const coreIn = (name: string) => `/api/v1/namespaces/${name}`;
export const kindsIn = (name: string) => `/apis/terrarium.dev/v1alpha1/namespaces/${name}`;

/** Makes such a namespace, and waits until it is one; the answer is the API server that has it. */
export async function policedNamespace(name: string): Promise<Api> {
  const api = await chartApi();
  await made(api.create("/api/v1/namespaces", namespace(name)));
  await bindPeople(api, name);
  await until(
    () => api.get(`${coreIn(name)}/serviceaccounts/default`),
    ({ status }) => status === 200,
  );
  // Roles are aggregated and policies compiled a moment after they exist.
  await until(
    () => api.get(`${kindsIn(name)}/runs`, PEOPLE.editor),
    ({ status }) => status === 200,
  );
  const probe = run("probe");
  await until(
    () => api.create(`${kindsIn(name)}/runs`, probe),
    ({ status }) => status === 403,
  );
  return api;
}
