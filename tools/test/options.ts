import { parseArgs } from "node:util";
import { SUITE_NAMES } from "./suites.ts";

export const HELP = `npm test [-- OPTIONS]

Runs every test of the project: ${SUITE_NAMES.join(", ")}. Programs, images and a local cluster are made as they are needed, while
the suites that need no cluster run; it is taken away at the end. The last line is \`N passed, N failed\`.

  --suite NAME   only this suite; may be repeated
  --file PATH    only this file of the suites; may be repeated
  --name NAME    the cluster for the journeys (default: test)
  --jobs N       files of journeys at the same time (default: 4)
  --whole        stories, faults and journeys: everything at every write and in every phase, where otherwise a part must
                 do (hours, not minutes)
  --keep         leave the cluster, to look at it or to be quicker the next time
  --help         this text`;

export interface Options {
  readonly suites: readonly string[];
  readonly files: readonly string[];
  readonly name: string;
  readonly jobs: number;
  readonly keep: boolean;
  readonly whole: boolean;
}

/** What the words after `npm test --` ask for; undefined when they ask for help. Throws a TypeError that says what is wrong. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      suite: { type: "string", multiple: true, default: [...SUITE_NAMES] },
      file: { type: "string", multiple: true, default: [] },
      name: { type: "string", default: "test" },
      jobs: { type: "string", default: "4" },
      keep: { type: "boolean", default: false },
      whole: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const unknown = values.suite.filter((suite) => !SUITE_NAMES.includes(suite));
  if (unknown.length > 0) throw new TypeError(`no suite is called ${unknown.join(", ")}: ${SUITE_NAMES.join(", ")}`);
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new TypeError(`--jobs ${values.jobs}: a number from 1`);
  const { suite: suites, file: files, name, keep, whole } = values;
  return { suites, files, name, jobs, keep, whole };
}
