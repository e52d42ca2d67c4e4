import type { Call } from "./call.ts";
import { isNotFound } from "./errors.ts";
import { collectionOf, objectAt, typed } from "./paths.ts";
import type {
  CallOptions,
  Client,
  KubeObject,
  ListOptions,
  Namespace,
  Page,
  Reader,
  Resource,
  Stored,
  Watcher,
  WatchOptions,
} from "./ports.ts";
import { createReviewer } from "./reviewer.ts";
import type { Transport } from "./transport.ts";
import { watchEvents } from "./watch.ts";
import { createWriter, type WriterOptions } from "./writer.ts";

const PAGE = 500;

/** All verbs on one transport. Several clients may share a transport: the leader's is guarded, the gateway's is not. */
export function createClient(transport: Transport, options: WriterOptions = {}): Client {
  return {
    ...createReader(transport),
    ...createWatcher(transport),
    ...createWriter(transport, options),
    ...createReviewer(transport),
  };
}

function createReader(transport: Transport): Reader {
  const get = async <T extends KubeObject>(
    resource: Resource,
    namespace: Namespace,
    name: string,
    options: CallOptions = {},
  ): Promise<Stored<T>> => {
    const path = objectAt(resource, namespace, name);
    return (await transport.call({ ...options, ...reading("get", resource), path })) as Stored<T>;
  };
  const list = async <T extends KubeObject>(resource: Resource, options: ListOptions = {}): Promise<Page<T>> => {
    const { labelSelector, fieldSelector, limit, continueToken, namespace, ...rest } = options;
    const query = { labelSelector, fieldSelector, limit, continue: continueToken };
    const path = collectionOf(resource, namespace);
    const answer = await transport.call({ ...rest, ...reading("list", resource), path, query });
    return toPage(resource, answer as RawList<T>);
  };
  return {
    get,
    find: async <T extends KubeObject>(...[resource, namespace, name, options]: Parameters<typeof get>) => {
      try {
        return await get<T>(resource, namespace, name, options);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    list,
    listAll: async <T extends KubeObject>(resource: Resource, options: ListOptions = {}) => {
      let page = await list<T>(resource, { limit: PAGE, ...options });
      const items = [...page.items];
      while (page.continueToken !== undefined) {
        page = await list<T>(resource, { limit: PAGE, ...options, continueToken: page.continueToken });
        items.push(...page.items);
      }
      return { items, resourceVersion: page.resourceVersion };
    },
  };
}

function createWatcher(transport: Transport): Watcher {
  return {
    async watch<T extends KubeObject>(resource: Resource, options: WatchOptions) {
      const { namespace, signal, resourceVersion, timeoutSeconds, labelSelector, fieldSelector } = options;
      const selection = { resourceVersion, timeoutSeconds, labelSelector, fieldSelector };
      const query = { ...selection, watch: true, allowWatchBookmarks: true };
      const call: Call = { ...reading("watch", resource), path: collectionOf(resource, namespace), query, signal };
      return watchEvents<T>(call, await transport.stream(call));
    },
  };
}

function reading(verb: string, resource: Resource) {
  return { verb, method: "GET", resource: resource.plural, idempotent: true, secret: false } as const;
}

interface RawList<T extends KubeObject> {
  readonly items?: readonly Stored<T>[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

function toPage<T extends KubeObject>(resource: Resource, list: RawList<T>): Page<T> {
  const items = (list.items ?? []).map((item) => typed(resource, item));
  const { resourceVersion, continue: token } = list.metadata;
  return { items, resourceVersion, ...(token ? { continueToken: token } : {}) };
}
