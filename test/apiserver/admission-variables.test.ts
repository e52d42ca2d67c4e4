/** The variables of an Environment, and what its components use of each other. */
import assert from "node:assert/strict";
import { type Api, made } from "./admission-server.ts";
import { type Acceptance, itAccepts, itRefuses, type Refusal } from "./admission-verdicts.ts";
import { anEnvironment, type Change, namespaceOfEnvironments } from "./environment-changes.ts";
import { kindsIn } from "./policed-namespace.ts";

const NAMESPACE = "team-variables";
const PATH = `${kindsIn(NAMESPACE)}/environments`;

const variable = (item: Readonly<Record<string, unknown>>): Change => ({ terraform: { variables: [item] } });
const output = (component: string) => ({ valueFrom: { output: { component, name: "id" } } });

/** As many references as the limits of the lists allow: each rule over them must stay within the API server's budget. */
const everythingAtOnce = Array.from({ length: 64 }, (_, index) => ({
  name: `component-number-${index}`,
  dependsOn: Array.from({ length: 64 }, (_, other) => `component-number-${other}`).filter(
    (_, other) => other !== index,
  ),
  terraform: {
    variables: Array.from({ length: 64 }, (_, number) => ({
      name: `v${number}`,
      ...output(`component-number-${index === 63 ? 62 : 63}`),
    })),
  },
}));

const oneOf = "must validate one and only one schema (oneOf)";

const REFUSED: readonly Refusal<Change>[] = [
  // Names.
  ["a variable's name like an option", variable({ name: "-var", value: 1 }), "begins with a letter or '_'"],
  ["a variable's name with a newline", variable({ name: "a\nb", value: 1 }), "begins with a letter or '_'"],
  ["a variable's name in unicode", variable({ name: "größe", value: 1 }), "begins with a letter or '_'"],
  [
    "a Secret's key that is a path",
    variable({ name: "a", valueFrom: { secretKeyRef: { name: "s", key: "../token" } } }),
    "a key of a Secret or ConfigMap consists of letters, digits, '-', '_' and '.'",
  ],
  [
    "a Secret's name in upper case",
    variable({ name: "a", valueFrom: { secretKeyRef: { name: "Shop", key: "k" } } }),
    "the name of an object consists of lower-case letters",
  ],
  // Variables.
  ["value with valueFrom", variable({ name: "a", value: false, ...output("database") }), oneOf],
  ["neither value nor valueFrom", variable({ name: "a" }), oneOf],
  ["a null that is not a string", variable({ name: "a", value: null }), oneOf],
  [
    "valueFrom of two kinds",
    variable({
      name: "a",
      valueFrom: { secretKeyRef: { name: "s", key: "k" }, configMapKeyRef: { name: "c", key: "k" } },
    }),
    "valueFrom is exactly one of secretKeyRef, configMapKeyRef and output",
  ],
  ["an empty valueFrom", variable({ name: "a", valueFrom: {} }), "valueFrom is exactly one of"],
  [
    "two variables of one name",
    { terraform: { variables: [1, 2].map((value) => ({ name: "a", value })) } },
    "Duplicate",
  ],
  // References.
  [
    "dependsOn an unknown component",
    { component: { dependsOn: ["nowhere"] } },
    "dependsOn names a component that is not in components",
  ],
  ["dependsOn itself", { component: { dependsOn: ["network"] } }, "a component cannot depend on itself"],
  [
    "an output of an unknown component",
    variable({ name: "a", ...output("nowhere") }),
    "valueFrom.output names a component that is not in components",
  ],
  ["its own output", variable({ name: "a", ...output("network") }), "a component cannot use its own output"],
  [
    "outputs of an unknown component",
    { spec: { outputs: [{ name: "url", ...output("nowhere") }] } },
    "outputs names a component that is not in components",
  ],
  [
    "an output for the whole Environment",
    { spec: { variables: [{ name: "a", ...output("network") }] } },
    "a variable of the whole Environment cannot come from an output",
  ],
];

const ACCEPTED: readonly Acceptance<Change>[] = [
  ["64 components that all refer to each other, 64 times each", { spec: { components: everythingAtOnce } }],
  ["dependsOn another component", { component: { dependsOn: ["database"] } }],
  ["an output of another component", variable({ name: "a", ...output("database") })],
  ["null as a string", variable({ name: "a", value: "null" })],
  ["false", variable({ name: "a", value: false })],
  ["0", variable({ name: "a", value: 0 })],
  ["an empty string", variable({ name: "a", value: "" })],
  ["a nested value", variable({ name: "a", value: { list: [1, { deep: [true, null] }], text: "x" } })],
  ["a value with newlines and a command", variable({ name: "a", value: "$(touch /tmp/x)\n`id`\n-o../\u0000 é 漢" })],
];

describe("admission of Environments", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await namespaceOfEnvironments(NAMESPACE);
  });

  const create = (change: Change) => api.create(PATH, anEnvironment(change));
  itRefuses(REFUSED, create);
  itAccepts(ACCEPTED, create);

  it("keeps a value exactly as it was written", async () => {
    const value = { b: [1, 2.5, "3"], a: { z: false, y: "", x: 0 }, text: "a\n$(b)" };
    const { body } = await made(api.create(PATH, anEnvironment(variable({ name: "a", value }))));
    const stored = body.spec as { components: { terraform: { variables?: unknown } }[] };
    assert.deepEqual(stored.components[0]?.terraform.variables, [{ name: "a", value }]);
  });
});
