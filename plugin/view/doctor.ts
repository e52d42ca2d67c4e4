import type { Finding, Level } from "../reading/diagnosis.ts";
import type { Paint, Style } from "./text.ts";

const SIGNS: Readonly<Record<Level, readonly [sign: string, style: Style]>> = {
  good: ["✔", "good"],
  unknown: ["·", "quiet"],
  warn: ["!", "warn"],
  bad: ["✖", "bad"],
};

const TITLES: readonly (readonly [about: Finding["about"], title: string])[] = [
  ["cluster", "The cluster"],
  ["operator", "The operator"],
  ["you", "You"],
  ["environment", "Environments"],
];

export function doctorView(findings: readonly Finding[], paint: Paint): readonly string[] {
  return TITLES.flatMap(([about, title]) => {
    const own = findings.filter((finding) => finding.about === about);
    return own.length === 0 ? [] : [paint("strong", title), ...own.flatMap((finding) => lines(finding, paint))];
  });
}

function lines({ level, says, next }: Finding, paint: Paint): readonly string[] {
  const [sign, style] = SIGNS[level];
  return [`  ${paint(style, sign)} ${says}`, ...next.map((step) => `      ${paint("quiet", step)}`)];
}
