import type { MochaResult } from "./mocha.ts";

/** Of each error: what it says and where it was thrown, not the whole difference of two statuses. */
const LINES_OF_AN_ERROR = 12;

/** What failed, once more in one place: in a log of half an hour, nobody should have to look for it. */
export function summaryOf(results: readonly MochaResult[]): readonly string[] {
  const lines = results.flatMap(({ failures, trouble }) => [
    ...failures.flatMap(({ file, test, error }) => [
      `✘ ${file === "" ? "" : `${file}: `}${test}`,
      ...beginningOf(error),
    ]),
    ...(trouble === undefined ? [] : [`✘ ${trouble}`]),
  ]);
  return lines.length === 0 ? [] : ["", "What failed:", ...lines, ""];
}

function beginningOf(error: string): readonly string[] {
  const lines = error.split("\n");
  const more = lines.length - LINES_OF_AN_ERROR;
  return [...lines.slice(0, LINES_OF_AN_ERROR), ...(more > 0 ? [`… ${more} more lines`] : [])].map(
    (one) => `    ${one}`,
  );
}
