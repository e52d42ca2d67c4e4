import type { KubeObject, Stored } from "../../../operator/cluster/ports.ts";
import { type Exchange, type FakeApi, fakeApi } from "../cluster/fake-api.ts";

type Item = Stored<KubeObject>;

/** An open watch, to which a test says what it wants. */
export interface OpenWatch {
  readonly query: URLSearchParams;
  send(type: "ADDED" | "MODIFIED" | "DELETED", object: Item): void;
  bookmark(version: string): void;
  /** As the server does when the version has expired while watching. */
  error(code: number, reason: string): void;
  end(): void;
  reset(): void;
}

export interface ScriptedApi extends FakeApi {
  readonly watches: OpenWatch[];
  readonly lists: Exchange[];
  /** What the next lists and watches meet instead of an answer; in order, then all is well again. */
  readonly troubles: ((exchange: Exchange) => void)[];
  items: readonly Item[];
  version: string;
}

/** The list and watch endpoints of one kind, with trouble on demand. */
export async function scriptedApi(): Promise<ScriptedApi> {
  const fake = await fakeApi((exchange) => {
    const trouble = api.troubles.shift();
    const isWatch = exchange.query.has("watch");
    if (!isWatch) api.lists.push(exchange);
    if (trouble !== undefined) trouble(exchange);
    else if (isWatch) api.watches.push(openWatch(exchange));
    else exchange.reply(200, { metadata: { resourceVersion: api.version }, items: api.items });
  });
  const api: ScriptedApi = { ...fake, watches: [], lists: [], troubles: [], items: [], version: "10" };
  return api;
}

function openWatch({ response, query, reset }: Exchange): OpenWatch {
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  const send = (event: unknown) => response.write(`${JSON.stringify(event)}\n`);
  return {
    query,
    reset,
    send: (type, object) => send({ type, object }),
    bookmark: (version) => send({ type: "BOOKMARK", object: { metadata: { resourceVersion: version } } }),
    error: (code, reason) => send({ type: "ERROR", object: { kind: "Status", code, reason, message: reason } }),
    end: () => response.end(),
  };
}
