import { collectionOf, typed } from "./paths.ts";
import type { AccessQuestion, CallOptions, Resource, Reviewer } from "./ports.ts";
import { SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS } from "./resources.ts";
import type { Transport } from "./transport.ts";

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly error?: string;
    readonly user?: {
      readonly username?: string;
      readonly uid?: string;
      readonly groups?: readonly string[];
      readonly extra?: Readonly<Record<string, readonly string[]>>;
    };
  };
}

interface SubjectAccessReview {
  readonly status?: { readonly allowed?: boolean; readonly denied?: boolean; readonly reason?: string };
}

/** Questions about other people's rights. They are asked with POST but change nothing, so they may be repeated. */
export function createReviewer(transport: Transport): Reviewer {
  const ask = (resource: Resource, spec: unknown, options: CallOptions = {}) =>
    transport.call({
      ...options,
      verb: "create",
      method: "POST",
      path: collectionOf(resource, undefined),
      body: { ...typed(resource, { metadata: { name: "" } }), metadata: {}, spec },
      resource: resource.plural,
      idempotent: true,
      secret: true,
    });
  return {
    async reviewToken(token, audiences, options) {
      const { status } = (await ask(TOKEN_REVIEWS, { token, audiences }, options)) as TokenReview;
      return {
        authenticated: status?.authenticated === true,
        username: status?.user?.username ?? "",
        uid: status?.user?.uid ?? "",
        groups: status?.user?.groups ?? [],
        audiences: status?.audiences ?? [],
        extra: status?.user?.extra ?? {},
        ...(status?.error === undefined ? {} : { error: status.error }),
      };
    },
    async reviewAccess(question, options) {
      const { status } = (await ask(SUBJECT_ACCESS_REVIEWS, accessSpec(question), options)) as SubjectAccessReview;
      return { allowed: status?.allowed === true && status.denied !== true, reason: status?.reason ?? "" };
    },
  };
}

function accessSpec(question: AccessQuestion): unknown {
  const { user, groups, verb, resource, subresource, namespace, name } = question;
  const { group, version, plural } = resource;
  return { user, groups, resourceAttributes: { verb, group, version, resource: plural, subresource, namespace, name } };
}
