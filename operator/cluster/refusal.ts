import type { Call } from "./call.ts";
import { ApiError } from "./errors.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const nameOf = (call: Pick<Call, "verb" | "path">): string => `${call.verb} ${call.path}`;

/** From a whole answer; `text` is a `Status`, or whatever a proxy in between had to say. */
export function errorFromAnswer(call: Call, status: number, headers: Headers, text: string): ApiError {
  const body = tryParse(text);
  return errorFromStatus(call, status, isRecord(body) ? body : { message: text.slice(0, 300) }, headers);
}

/** From a `Status` object, as watches send it in their stream. */
export function errorFromStatus(
  call: Call,
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Headers = {},
): ApiError {
  const retryAfterMs = retryAfter(headers, body);
  // The messages of a refused body quote it ("Invalid value: …", "error found in #10 byte of …").
  const mayQuote = call.secret && status >= 400 && status < 500 && status !== 404 && status !== 409;
  const message = String(body.message ?? "no message");
  return new ApiError({
    request: nameOf(call),
    status,
    reason: typeof body.reason === "string" ? body.reason : "Unknown",
    message: mayQuote ? (missingRight(message) ?? "(message withheld: it may quote a secret value)") : message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(mayQuote || body.details === undefined ? {} : { details: body.details }),
  });
}

/** The authorizer's own sentence about a right that is missing: it speaks before anybody reads the body. */
function missingRight(message: string): string | undefined {
  return /^[^"]*(?:"[^"]*" )?is forbidden: User "[^"]*" cannot [a-z]+ resource "[^"]*" in API group "[^"]*"/.exec(
    message,
  )?.[0];
}

/** Throws when half an answer or a proxy's page arrived with a code of success. */
export function parseAnswer(call: Call, text: string): unknown {
  const body = text === "" ? {} : tryParse(text);
  if (body !== undefined) return body;
  throw new Error(`${nameOf(call)}: the answer is not JSON (${text.length} characters)`);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Kubernetes sends seconds, never a date. */
function retryAfter(headers: Headers, body: Readonly<Record<string, unknown>>): number | undefined {
  const details = isRecord(body.details) ? body.details.retryAfterSeconds : undefined;
  const seconds = Number(headers["retry-after"] ?? details);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}
