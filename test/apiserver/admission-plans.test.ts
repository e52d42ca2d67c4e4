import assert from "node:assert/strict";
import { LABELS } from "../../operator/api/names.ts";
import { configMap } from "./admission-objects.ts";
import { type Answer, type Api, bindPeople, chartApi, made, namespace, PEOPLE, until } from "./admission-server.ts";
import { accepted } from "./admission-verdicts.ts";

const NAMESPACE = "team-plans";
const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;

const plan = (name: string) => ({
  ...configMap(name, { [LABELS.planOf]: "shop-network-1" }),
  immutable: true,
  data: { "plan.txt": "Plan: 1 to destroy\n" },
});

/** By a policy or by the API server itself. */
async function refused(answer: Promise<Answer>, sentence: string): Promise<void> {
  const { status, message } = await answer;
  assert.ok(status === 403 || status === 422, `${status} ${message}`);
  assert.ok(message.includes(sentence), message);
}

describe("admission of the texts of plans", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await chartApi();
    await made(api.create("/api/v1/namespaces", namespace(NAMESPACE)));
    await bindPeople(api, NAMESPACE);
    // Roles are aggregated and policies compiled a moment after they exist.
    await until(
      () => api.get(MAPS, PEOPLE.editor),
      ({ status }) => status === 200,
    );
    await until(
      () => api.create(MAPS, plan("probe")),
      ({ status }) => status === 403,
    );
  });

  const write = (name: string) => api.apply(`${MAPS}/${name}`, plan(name), "terrarium-gateway", PEOPLE.operator);

  it("lets the operator write one, and say the same again", async () => {
    await accepted(write("shop-network-1-plan"));
    await accepted(write("shop-network-1-plan"));
  });

  it("lets nobody change or remove one, neither the operator nor an administrator", async () => {
    const other = { data: { "plan.txt": "Plan: nothing to see here\n" } };
    const path = `${MAPS}/shop-network-1-plan`;
    for (const person of [PEOPLE.editor, PEOPLE.namespaceAdmin, PEOPLE.admin]) {
      await refused(api.patch(path, other, person), "immutable");
      await refused(api.delete(path, person), "only the operator writes such a ConfigMap");
      const unmarked = { metadata: { labels: { [LABELS.planOf]: null } } };
      await refused(api.patch(path, unmarked, person), "only the operator writes such a ConfigMap");
    }
    await refused(api.patch(path, other, PEOPLE.operator), "immutable");
  });

  it("lets nobody else make one, or turn another into one", async () => {
    await refused(api.create(MAPS, plan("forged-plan"), PEOPLE.editor), "only the operator writes such a ConfigMap");
    await made(api.create(MAPS, configMap("mine"), PEOPLE.editor));
    const marked = { metadata: { labels: { [LABELS.planOf]: "shop-network-1" } } };
    await refused(api.patch(`${MAPS}/mine`, marked, PEOPLE.editor), "only the operator writes such a ConfigMap");
  });

  it("keeps the operator from writing over what somebody made under that name", async () => {
    await made(api.create(MAPS, configMap("shop-network-2-plan"), PEOPLE.editor));
    await refused(write("shop-network-2-plan"), "exists and was not made for a plan");
    const outputs = configMap("shop-network-3-plan", { [LABELS.outputsOf]: "shop" });
    await accepted(api.apply(`${MAPS}/shop-network-3-plan`, outputs, "terrarium", PEOPLE.operator));
    await refused(write("shop-network-3-plan"), "is already used for outputs");
    const { data: _none, ...claimed } = configMap("shop-network-1-plan", { [LABELS.outputsOf]: "shop" });
    const path = `${MAPS}/shop-network-1-plan`;
    await refused(api.apply(path, claimed, "terrarium", PEOPLE.operator), "is already used for the text of a plan");
  });

  it("leaves the operator no other ConfigMap, and no way to mark a Secret as a plan", async () => {
    await refused(api.create(MAPS, configMap("bare"), PEOPLE.operator), "terrarium.dev/plan-of");
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", labels: { [LABELS.planOf]: "r" } } };
    await refused(api.create(`/api/v1/namespaces/${NAMESPACE}/secrets`, secret, PEOPLE.operator), "no other Secrets");
  });

  it("lets whoever may view the namespace read it, and those who clean up remove it", async () => {
    await accepted(api.get(`${MAPS}/shop-network-1-plan`, PEOPLE.viewer));
    await accepted(write("old-plan"));
    await accepted(api.delete(`${MAPS}/old-plan`, PEOPLE.garbageCollector));
    await accepted(write("old-plan"));
    await accepted(api.delete(`${MAPS}/old-plan`, PEOPLE.namespaceController));
  });
});
