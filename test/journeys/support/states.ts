/** States as people reach them: kubectl, and nothing else. */
import type { Secret } from "../../../operator/cluster/kinds.ts";
import { SECRETS } from "../../../operator/cluster/resources.ts";
import type { stateObject } from "../../../operator/state-api/state-object.ts";
import { recordName } from "../../../operator/storage/secret-names.ts";
import { operatorNamespace } from "./installation.ts";
import type { Place } from "./place.ts";

type State = ReturnType<typeof stateObject>;

/** `name` is ENVIRONMENT.COMPONENT. */
export function states(place: Place, name: string) {
  const path = `/apis/state.terrarium.dev/v1alpha1/namespaces/${place.namespace}/states/${name}`;
  const asState = async (text: Promise<string>): Promise<State> => JSON.parse(await text) as State;
  return {
    get: () => asState(place.kubectl(["get", "--raw", path])),
    pull: () => place.kubectl(["get", "--raw", `${path}/content`]),
    push: (state: string) => asState(place.kubectl(["replace", "--raw", `${path}/content`, "-f", "-"], state)),
    restore: (what: object) =>
      asState(place.kubectl(["create", "--raw", `${path}/restore`, "-f", "-"], JSON.stringify(what))),
  };
}

/** The Secret that holds a component's record, as a backup has it. */
export async function recordSecretOf(
  { installation: { client }, namespace }: Place,
  environment: string,
  component: string,
) {
  const name = recordName({ namespace, environment, component });
  const { metadata, ...rest } = await client.get<Secret>(SECRETS, operatorNamespace, name);
  const { labels, annotations, finalizers } = metadata;
  const kept = { name, namespace: operatorNamespace, labels, annotations, finalizers };
  return { name, secret: { apiVersion: "v1", kind: "Secret", ...rest, metadata: kept } };
}
