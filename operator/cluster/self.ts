import { collectionOf } from "./paths.ts";
import type { CallOptions, Resource } from "./ports.ts";
import { apiVersionOf, SELF_SUBJECT_ACCESS_REVIEWS, SELF_SUBJECT_REVIEWS } from "./resources.ts";
import type { Transport } from "./transport.ts";

export interface OwnQuestion {
  readonly verb: string;
  readonly resource: Resource;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** Who the API server takes us for, and what it would let us do. Everybody who is logged in may ask both. */
export interface Self {
  /** The user name, exactly as admission sees it (SelfSubjectReview). */
  whoAmI(options?: CallOptions): Promise<string>;
  /** SelfSubjectAccessReview. */
  mayI(question: OwnQuestion, options?: CallOptions): Promise<boolean>;
}

export function createSelf(transport: Transport): Self {
  const ask = (resource: Resource, spec: object, options: CallOptions = {}) =>
    transport.call({
      ...options,
      verb: "create",
      method: "POST",
      path: collectionOf(resource, undefined),
      body: { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: {}, ...spec },
      resource: resource.plural,
      idempotent: true,
      secret: false,
    });
  return {
    async whoAmI(options) {
      const answer = (await ask(SELF_SUBJECT_REVIEWS, {}, options)) as SelfSubjectReview;
      return answer.status?.userInfo?.username ?? "";
    },
    async mayI({ resource, ...question }, options) {
      const { group, version, plural } = resource;
      const resourceAttributes = { ...question, group, version, resource: plural };
      const answer = await ask(SELF_SUBJECT_ACCESS_REVIEWS, { spec: { resourceAttributes } }, options);
      return (answer as SelfSubjectAccessReview).status?.allowed === true;
    },
  };
}

interface SelfSubjectReview {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}

interface SelfSubjectAccessReview {
  readonly status?: { readonly allowed?: boolean };
}
