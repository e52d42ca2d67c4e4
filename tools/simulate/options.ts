import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

export const HELP = `npm run simulate [-- OPTIONS]

Tells stories in a world of memory, in which the operator's real controllers, gateway and store rules live, and everything goes wrong.
After every step the promises are checked. A story that breaks one is shrunk, and printed with the command that tells it again.

  --stories N      so many stories (default: 1000)
  --from SEED      the first seed (default: 1)
  --jobs N         threads (default: one for each core)
  --seed SEED      tell this one story, line by line
  --without A,B    with --seed: leave out these incidents
  --help           this text`;

export interface Options {
  readonly stories: number;
  readonly from: number;
  readonly jobs: number;
  readonly seed: number | undefined;
  readonly without: readonly string[];
}

/** What the words after `npm run simulate --` ask for; undefined when they ask for help. Throws a TypeError that says what is wrong. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      stories: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      jobs: { type: "string", default: String(availableParallelism()) },
      seed: { type: "string" },
      without: { type: "string", default: "" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const number = (name: string, text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1) throw new TypeError(`--${name} ${text}: a number from 1`);
    return value;
  };
  return {
    stories: number("stories", values.stories),
    from: number("from", values.from),
    jobs: number("jobs", values.jobs),
    seed: values.seed === undefined ? undefined : number("seed", values.seed),
    without: values.without.split(",").filter((name) => name !== ""),
  };
}
