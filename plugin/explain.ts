import { ApiError, ApiUnreachable, isNotServed } from "../operator/cluster/errors.ts";
import { ClusterNotChosen } from "../operator/cluster/kubeconfig.ts";
import { UsageError } from "./arguments.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { NotFound } from "./lookup.ts";
import { NotConfirmed, NotReady } from "./outcomes.ts";

export interface Explained {
  readonly sentence: string;
  readonly code: ExitCode;
}

/** Any error as a sentence that says what to do next, and as an exit code. */
export function explain(error: unknown): Explained {
  if (error instanceof UsageError || error instanceof NotConfirmed)
    return { sentence: error.message, code: EXIT.usage };
  if (error instanceof NotFound) return { sentence: error.message, code: EXIT.notFound };
  if (error instanceof NotReady) return { sentence: error.message, code: EXIT.waiting };
  if (error instanceof ClusterNotChosen) return { sentence: error.message, code: EXIT.error };
  if (error instanceof ApiUnreachable) return { sentence: unreachable(error), code: EXIT.error };
  if (error instanceof ApiError) return refused(error);
  return { sentence: error instanceof Error ? error.message : String(error), code: EXIT.error };
}

function unreachable(error: ApiUnreachable): string {
  const why = error.message.split("no answer from the Kubernetes API: ").at(-1);
  return `The API server does not answer (${why}). Is the cluster up, and is it the right context (--context)?`;
}

function refused(error: ApiError): Explained {
  const denied = /denied request: (.*)$/s.exec(error.message)?.[1];
  if (denied !== undefined) return { sentence: `Refused: ${denied}`, code: EXIT.forbidden };
  switch (error.status) {
    case 401:
      return { sentence: "The API server does not accept your login: log in again", code: EXIT.forbidden };
    case 403:
      return { sentence: forbidden(error.message), code: EXIT.forbidden };
    case 404:
      return { sentence: notServed(error), code: EXIT.notFound };
    case 409:
      return { sentence: `Somebody else changed it at the same time: try again (${said(error)})`, code: EXIT.error };
    case 422:
      return { sentence: `Not accepted: ${said(error)}`, code: EXIT.error };
    default:
      return { sentence: said(error), code: EXIT.error };
  }
}

/** The server's own sentence, without what the client has put before it. */
export const said = ({ message, status, reason }: ApiError): string =>
  message.split(`: ${status} ${reason}: `).at(-1) ?? message;

const FORBIDDEN =
  /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]*)"(?: in API group "(?<group>[^"]*)")?(?: in the namespace "(?<namespace>[^"]*)")?/;

/** Which verb is missing on what, and which role brings it. */
function forbidden(message: string): string {
  const facts = FORBIDDEN.exec(message)?.groups;
  if (facts === undefined) return `You may not do that: ${message}`;
  const { user = "", verb = "", resource = "", namespace } = facts;
  const place = namespace === undefined ? "" : ` in the namespace ${namespace}`;
  return `You (${user}) may not ${verb} ${resource}${place}. ${roleFor(verb, resource)}`;
}

function roleFor(verb: string, resource: string): string {
  const bind = (role: string) => `Ask who administers the namespace for the role "${role}".`;
  if (resource === "approvals") return bind("terrarium-approver");
  if (resource === "states/content" && verb === "get") return bind("terrarium-state-reader");
  if (/^states\/(content|restore|unlock)$/.test(resource)) return bind("terrarium-state-writer");
  if (resource === "runs" && verb === "patch") return bind("admin");
  if (["get", "list", "watch"].includes(verb)) return bind("view");
  return bind("edit");
}

/** A kind that the server does not serve, rather than an object that is not there. */
function notServed(error: ApiError): string {
  if (isNotServed(error))
    return "This cluster does not know Terrarium's kinds: is it the right context (--context), and is Terrarium installed?";
  return said(error);
}
