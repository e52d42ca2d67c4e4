import { z } from "zod";

/** RFC 7519: one audience, or a list. */
const payload = z.object({ aud: z.union([z.string(), z.array(z.string())]) });

/**
 * Whether a token says of itself that it is for this audience. Nothing of it is verified: a token that does not say so is
 * not worth the request to the API server that would verify it.
 */
export function saysAudience(token: string, audience: string): boolean {
  const [header, body, signature, ...more] = token.split(".");
  if (!header || !body || !signature || more.length > 0) return false;
  const said = payload.safeParse(parsed(Buffer.from(body, "base64url").toString("utf8")));
  return said.success && [said.data.aud].flat().includes(audience);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
