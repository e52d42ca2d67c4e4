import assert from "node:assert/strict";
import { run } from "./admission-objects.ts";
import { type Api, chartApi, made, namespace, PEOPLE, until } from "./admission-server.ts";

const NAMESPACE = "team-runs";
const PATH = `/apis/terrarium.dev/v1alpha1/namespaces/${NAMESPACE}/runs`;

describe("admission of Runs", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await chartApi();
    await made(api.create("/api/v1/namespaces", namespace(NAMESPACE)));
    await until(
      () => api.create(PATH, run("ready"), PEOPLE.operator),
      ({ status }) => status === 201,
    );
  });

  const variables = [{ name: "zones", value: { list: ["a", 1, null], on: false } }];

  it("keeps the inputs as they were, values of any JSON included", async () => {
    const { body } = await made(api.create(PATH, run("kept", { variables }), PEOPLE.operator));
    assert.deepEqual((body.spec as ReturnType<typeof run>["spec"]).inputs.variables, variables);
  });

  it("refuses every change of the spec", async () => {
    await made(api.create(PATH, run("fixed", { variables }), PEOPLE.operator));
    const changes = [
      { number: 2 },
      { engine: { image: "evil" } },
      { inputs: { path: "other" } },
      { inputs: { variables: [{ name: "zones", value: { list: ["b"], on: false } }] } },
      { inputs: { variables: [{ name: "zones", value: "a" }] } },
    ];
    for (const spec of changes) {
      const { status, message } = await api.patch(`${PATH}/fixed`, { spec }, PEOPLE.operator);
      assert.equal(status, 422, `${JSON.stringify(spec)}: ${message}`);
      assert.match(message, /a Run records one attempt: its spec never changes/);
    }
  });

  it("accepts a change of labels, and a status", async () => {
    await made(api.create(PATH, run("moving", { variables }), PEOPLE.operator));
    const labels = { metadata: { labels: { "terrarium.dev/component": "network" } } };
    assert.equal((await api.patch(`${PATH}/moving`, labels, PEOPLE.operator)).status, 200);
    const status = { status: { observedGeneration: 1, phase: "Planning" } };
    assert.equal((await api.patch(`${PATH}/moving/status`, status, PEOPLE.operator)).status, 200);
  });

  it("starts with a status that nobody takes for healthy", async () => {
    const { body } = await made(api.create(PATH, run("fresh"), PEOPLE.operator));
    assert.deepEqual(body.status, { observedGeneration: -1 });
  });

  it("can be listed by environment, component and operation", async () => {
    await made(api.create(PATH, run("listed"), PEOPLE.operator));
    const selector = "spec.environment.name=shop,spec.component=network,spec.operation=Apply";
    const found = await made(api.get(`${PATH}?fieldSelector=${encodeURIComponent(selector)}`));
    assert.ok((found.body.items as unknown[]).length >= 1);
    const other = encodeURIComponent("spec.environment.name=other");
    assert.deepEqual((await made(api.get(`${PATH}?fieldSelector=${other}`))).body.items, []);
  });
});
