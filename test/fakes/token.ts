import { GATEWAY_AUDIENCE } from "../../operator/api/names.ts";

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token of the form that Kubernetes gives: a JWT. Nobody has signed it. */
export function aToken(subject: string, audience: unknown = [GATEWAY_AUDIENCE]): string {
  return [encoded({ alg: "none" }), encoded({ aud: audience, sub: subject }), "unsigned"].join(".");
}

export function subjectOf(token: string): string {
  const [, body = ""] = token.split(".");
  return (JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as { readonly sub: string }).sub;
}
