import assert from "node:assert/strict";
import { request } from "node:https";
import type { FastifyInstance } from "fastify";
import type { AccessQuestion, CallOptions } from "../../../operator/cluster/ports.ts";
import { addressOf } from "../../../operator/gateway/server.ts";
import { STATES } from "../../../operator/state-api/names.ts";
import { createStateServer } from "../../../operator/state-api/server.ts";
import { memoryStore } from "../../fakes/memory-store.ts";
import { aCertificateFor, type ServerCertificate } from "../source/tls.ts";

const ROOT = "/apis/state.terrarium.dev/v1alpha1";
const STATE = `${ROOT}/namespaces/team/states/shop.network`;
const GROUPS = ["people, of all kinds", "system:authenticated"];

/** What is asked about a person who asks for one part of a state. */
const ofState = (verb: string, subresource?: string) => ({
  verb,
  namespace: "team",
  name: "shop.network",
  ...(subresource === undefined ? {} : { subresource }),
});

const REQUESTS: readonly (readonly [string, Omit<AccessQuestion, "user" | "resource">])[] = [
  [`GET ${ROOT}/states`, { verb: "list" }],
  [`GET ${ROOT}/namespaces/team/states`, { verb: "list", namespace: "team" }],
  [`GET ${STATE}`, ofState("get")],
  [`GET ${STATE}/content`, ofState("get", "content")],
  [`PUT ${STATE}/content`, ofState("update", "content")],
  [`POST ${STATE}/restore`, ofState("create", "restore")],
  [`GET ${STATE}/journal`, ofState("get", "journal")],
  [`GET ${STATE}/imports`, ofState("get", "imports")],
  [`POST ${STATE}/unlock`, ofState("create", "unlock")],
];

describe("The API of states, whoever the API server has let through", () => {
  /** The API server's and ours: it signs itself. */
  let certificate: ServerCertificate;
  let server: FastifyInstance;
  let asked: AccessQuestion[];
  let allowed: boolean;

  before(async () => {
    certificate = await aCertificateFor("front-proxy");
    const { certPem, keyPem } = certificate;
    const own = { certificate: certPem, key: keyPem };
    const reviewAccess = async (question: AccessQuestion, options?: CallOptions) => {
      assert.ok(options?.signal !== undefined, "no question without a deadline");
      asked.push(question);
      return { allowed, reason: "" };
    };
    server = createStateServer({
      context: {
        store: memoryStore(),
        client: {
          reviewAccess,
          find: async () => undefined,
          listAll: async () => ({ items: [], resourceVersion: "1" }),
        },
        clock: { now: () => new Date(0) },
        tell: () => {},
      },
      log: { info: () => {}, error: (facts, message) => assert.fail(`${message} ${JSON.stringify(facts)}`) },
      tls: { authority: own, server: own },
      frontProxy: () => ({
        ca: certPem,
        allowedNames: ["front-proxy"],
        userHeaders: ["x-remote-user"],
        groupHeaders: ["x-remote-group"],
      }),
    });
    await server.listen({ host: "127.0.0.1", port: 0 });
  });
  beforeEach(() => {
    asked = [];
  });
  after(() => server.close());

  const call = (line: string): Promise<number | undefined> => {
    const [method, path] = line.split(" ");
    const { certPem: cert, keyPem: key } = certificate;
    const { port } = addressOf(server);
    const headers = { "x-remote-user": "jane", "x-remote-group": GROUPS };
    const options = { port, method, path, headers, cert, key, rejectUnauthorized: false, agent: false } as const;
    return new Promise((resolve, reject) => {
      request(options, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
  };

  for (const [line, question] of REQUESTS)
    it(`asks the cluster whether the person may: ${line}`, async () => {
      allowed = false;
      assert.equal(await call(line), 403);
      assert.deepEqual(asked, [{ user: "jane", groups: GROUPS, resource: STATES, ...question }]);
      allowed = true;
      assert.notEqual(await call(line), 403, "it was refused for this alone");
    });
});
