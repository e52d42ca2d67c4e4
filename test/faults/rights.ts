import type { Client, KubeObject, Resource } from "../../operator/cluster/ports.ts";
import { renderedChart } from "../apiserver/admission-server.ts";
import type { Namespaces } from "./place.ts";
import type { Stage } from "./stage.ts";

/** One verb on one resource, as a rule of the chart gives it: in all namespaces, or in the operator's own. */
export interface Right {
  readonly kind: "ClusterRole" | "Role";
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
}

export interface Rights {
  readonly user: string;
  /** All that the chart gives. */
  giveBack(): Promise<void>;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

type Roles = Readonly<Record<Right["kind"], readonly Rule[]>>;

const rbac = (kind: string, plural: string, namespaced: boolean): Resource => ({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind,
  plural,
  namespaced,
});
const RESOURCES = {
  ClusterRole: [rbac("ClusterRole", "clusterroles", false), rbac("ClusterRoleBinding", "clusterrolebindings", false)],
  Role: [rbac("Role", "roles", true), rbac("RoleBinding", "rolebindings", true)],
} as const;

let shared: Promise<Roles> | undefined;

/** The operator's roles in the chart, as helm renders them. */
export function operatorRoles(): Promise<Roles> {
  shared ??= read();
  return shared;
}

async function read(): Promise<Roles> {
  const manifests = await renderedChart();
  const rulesOf = (kind: string): readonly Rule[] => {
    const role = manifests.find(
      (one) => one.kind === kind && (one.metadata as { readonly name: string }).name === "terrarium-operator",
    );
    if (role === undefined) throw new Error(`the chart has no ${kind} for the operator`);
    return role.rules as readonly Rule[];
  };
  return { ClusterRole: rulesOf("ClusterRole"), Role: rulesOf("Role") };
}

export async function allRights(): Promise<readonly Right[]> {
  const roles = await operatorRoles();
  return (["ClusterRole", "Role"] as const).flatMap((kind) =>
    roles[kind].flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => ({ kind, group, resource, verb }) as const)),
      ),
    ),
  );
}

export const nameOf = ({ kind, group, resource, verb }: Right): string =>
  `${verb} ${resource}${group === "" ? "" : `.${group}`}${kind === "Role" ? " at home" : ""}`;

/** A user of a story's own, who holds the operator's roles without one right. */
export async function openRights({ client }: Stage, { namespace, home }: Namespaces, missing: Right): Promise<Rights> {
  const roles = await operatorRoles();
  const user = `operator-of-${namespace}`;
  const set = async (without?: Right) => {
    for (const kind of ["ClusterRole", "Role"] as const) {
      const rules = without?.kind === kind ? roles[kind].flatMap((rule) => lacking(rule, without)) : roles[kind];
      await apply(client, RESOURCES[kind][0], { ...metadataOf(kind), rules });
    }
  };
  const metadataOf = (kind: Right["kind"]) => ({
    metadata: { name: user, ...(kind === "Role" ? { namespace: home } : {}) },
  });
  await set(missing);
  for (const kind of ["ClusterRole", "Role"] as const) {
    await apply(client, RESOURCES[kind][1], {
      ...metadataOf(kind),
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: user },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    });
  }
  return { user, giveBack: () => set() };
}

const apply = (client: Client, resource: Resource, object: object): Promise<unknown> =>
  client.apply(resource, object as KubeObject);

/** The same rule for everything else: the resource alone, without the verb, and the others with it. */
function lacking(rule: Rule, { group, resource, verb }: Right): readonly Rule[] {
  if (!(rule.apiGroups.includes(group) && rule.resources.includes(resource) && rule.verbs.includes(verb)))
    return [rule];
  const others = rule.resources.filter((one) => one !== resource);
  const groups = rule.apiGroups.filter((one) => one !== group);
  const verbs = rule.verbs.filter((one) => one !== verb);
  return [
    { ...rule, resources: others },
    { ...rule, resources: [resource], apiGroups: groups },
    { ...rule, resources: [resource], apiGroups: [group], verbs },
  ].filter((one) => one.resources.length * one.apiGroups.length * one.verbs.length > 0);
}
