import { evaluateExpression } from "../../operator/approval/expression.ts";
import { judgeFor } from "../../operator/assembly/judge.ts";
import type { Client } from "../../operator/cluster/ports.ts";
import { appliedDigestOf } from "../../operator/environment/digest.ts";
import { approvalsFrom } from "../../operator/gateway/approved.ts";
import { claimWork } from "../../operator/gateway/claiming.ts";
import type { GatewayContext } from "../../operator/gateway/context.ts";
import { answerFor } from "../../operator/gateway/errors.ts";
import type { Known } from "../../operator/gateway/known.ts";
import { createPlanTexts } from "../../operator/gateway/plan-text.ts";
import { createProgressThrottle } from "../../operator/gateway/progress.ts";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { type Answer, ROUTES } from "../../operator/gateway/routes.ts";
import { createRunStatuses } from "../../operator/gateway/run-status.ts";
import { readSession, type Session } from "../../operator/gateway/sessions.ts";
import type { Clock } from "../../operator/loop/clock.ts";
import type { KeyRing } from "../../operator/storage/key-ring.ts";
import type { StateStore } from "../../operator/storage/port.ts";
import { CATALOGUE } from "./objects.ts";
import { Killed, type Turns } from "./world-turns.ts";

export interface GatewayParts {
  readonly client: Client;
  readonly store: StateStore;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly turns: Turns;
  /** What the watches of its process have told. */
  readonly known: Known;
  readonly onUnexpected: (error: unknown) => void;
}

export type GatewayReply =
  | { readonly type: "answer"; readonly answer: Answer }
  | { readonly type: "order"; readonly order: WorkOrder }
  | { readonly type: "refused"; readonly code: string; readonly message: string }
  /** It does not answer, or died: the same request may be sent again. */
  | { readonly type: "away" };

/** The gateway without its sockets: the real handlers of every route. A request goes on after its sender has died. */
export interface WorldGateway {
  claim(token: string, namespace: string, run: string, phase: "Plan" | "Apply"): Promise<GatewayReply>;
  send(session: string, request: string, body: unknown, lockId?: string): Promise<GatewayReply>;
}

export function worldGateway({ client, store, ring, clock, turns, known, onUnexpected }: GatewayParts): WorldGateway {
  const context: GatewayContext = {
    store,
    ring,
    client,
    known,
    onChecked: () => {},
    tell: () => {},
    statuses: createRunStatuses(client),
    planTexts: createPlanTexts(client),
    // A thread has its own time, which a world of memory cannot turn back: here the same answer comes at once.
    judge: judgeFor({
      client,
      clock,
      store,
      evaluate: async ({ text, facts }) => evaluateExpression(text, facts),
      catalogue: CATALOGUE,
    }),
    approvals: approvalsFrom(client),
    digestOfApplied: appliedDigestOf,
    progress: createProgressThrottle(clock),
    clock,
    onAnswered: () => {},
    log: { info: () => {}, error: () => {} },
  };
  const signal = new AbortController().signal;
  const sessions = new Map<string, Session | undefined>();
  const sessionOf = (token: string): Session | undefined => {
    if (!sessions.has(token)) sessions.set(token, readSession(ring, token));
    return sessions.get(token);
  };
  const handled = (work: () => Promise<GatewayReply>): Promise<GatewayReply> => {
    const { promise, resolve } = Promise.withResolvers<GatewayReply>();
    turns.spawn(async () => {
      resolve(await work().catch(refusal));
    });
    return promise;
  };
  const refusal = (error: unknown): GatewayReply => {
    if (error instanceof Killed) return { type: "away" };
    const { code, message, unexpected } = answerFor(error);
    if (unexpected) onUnexpected(error);
    return code === "StoreUnavailable" || code === "InternalError"
      ? { type: "away" }
      : { type: "refused", code, message };
  };
  return {
    claim: (token, namespace, run, phase) =>
      handled(async () => ({
        type: "order",
        order: await claimWork(context, token, { run, namespace, phase }, signal),
      })),
    send: (token, request, body, lockId = "") =>
      handled(async () => {
        const route = ROUTES.find(({ method, path }) => `${method} ${path}` === request);
        const session = sessionOf(token);
        if (route === undefined || session === undefined) throw new Error(`the world sends nonsense: ${request}`);
        const content = Buffer.isBuffer(body) ? body : Buffer.from(body === undefined ? "" : JSON.stringify(body));
        const asked = { context, session, body: content, lockId, reserve: () => {}, signal };
        return { type: "answer", answer: await route.handle(asked) };
      }),
  };
}
