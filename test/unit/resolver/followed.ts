/** A follower of refs, and the git servers that it asks. */
import { createFollower, type Follower, type SourceRef } from "../../../operator/resolver/follower.ts";
import type { ResolveRequest } from "../../../operator/resolver/protocol.ts";
import { GitError } from "../../../operator/source/git.ts";
import { type FakeClock, fakeClock } from "../loop/fake-clock.ts";

export const A = "a".repeat(40);
export const B = "b".repeat(40);
export const unauthorized = new GitError("GitUnauthorized", "the server refuses the credentials");

export function aSource(changes: Partial<SourceRef> = {}): SourceRef {
  return { url: "https://git.example.com/infra.git", ref: { branch: "main" }, intervalMs: 60_000, ...changes };
}

/** A follower, a world that answers what it is told to, and everything that happened. */
export function aStory(answer: (question: ResolveRequest) => string | Error | Promise<string>, concurrency = 8) {
  const clock: FakeClock = fakeClock();
  const asked: { readonly question: ResolveRequest; readonly atMs: number; readonly signal: AbortSignal }[] = [];
  const moved: string[] = [];
  let current = answer;
  const follower: Follower = createFollower({
    clock,
    random: () => 0.5,
    concurrency,
    onMoved: (key) => moved.push(key),
    async resolve(question, signal) {
      asked.push({ question, atMs: clock.monotonicMs(), signal });
      const reply = await current(question);
      if (reply instanceof Error) throw reply;
      return { revision: reply };
    },
  });
  const becomes = (next: typeof answer) => {
    current = next;
  };
  const askedAt = () => asked.map(({ atMs }) => atMs);
  return { clock, follower, asked, askedAt, moved, becomes };
}
