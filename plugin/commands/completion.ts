import type { Environment } from "../../operator/api/environment.ts";
import type { Run } from "../../operator/api/run.ts";
import { ENVIRONMENTS, RUNS } from "../../operator/cluster/resources.ts";
import type { Cluster } from "../cluster.ts";
import type { Command } from "../command.ts";
import { optionsOf, type Question, questionAt } from "../completion/question.ts";
import { SCRIPTS } from "../completion/scripts.ts";
import { EXIT } from "../exit-codes.ts";

interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** Tells kubectl, and whoever speaks its protocol, to offer no file names. */
const NO_FILES = ":4";
/** Nobody waits longer for a Tab. */
const DEADLINE_MS = 2000;

export function createCompletion(spoken: readonly Command[]): readonly Command[] {
  const script: Command = {
    name: "completion",
    summary: "a script that lets a shell complete commands, options and names",
    arguments: [{ name: "SHELL", offers: Object.keys(SCRIPTS) }],
    options: [],
    details: [
      "bash:    source <(kubectl terrarium completion bash)",
      "zsh:     source <(kubectl terrarium completion zsh)",
      "fish:    kubectl terrarium completion fish | source",
      "These complete kubectl-terrarium. For `kubectl terrarium` save the output of `completion kubectl` as an executable",
      "kubectl_complete-terrarium on your PATH: kubectl's own completion then asks it.",
    ],
    async run({ terminal }, said) {
      const text = SCRIPTS[said.argument(0)];
      if (text === undefined) {
        terminal.tell(`There is a script for ${Object.keys(SCRIPTS).join(", ")}, and none for "${said.argument(0)}".`);
        return EXIT.usage;
      }
      terminal.print(text.trimEnd());
      return EXIT.done;
    },
  };
  const everything = [...spoken, script];
  const complete: Command = {
    name: "__complete",
    summary: "answers a shell",
    hidden: true,
    takesAll: true,
    arguments: [],
    options: [],
    async run({ cluster, terminal }, said) {
      const question = questionAt(said.arguments, everything);
      // A shell that completes must not print errors into somebody's line.
      const candidates = await candidatesFor(question, everything, cluster).catch(() => []);
      const fitting = candidates.filter(({ word }) => word.startsWith(question.begun));
      for (const { word, about } of fitting)
        terminal.print(`${question.prefix}${word}${about === "" ? "" : `\t${about}`}`);
      terminal.print(NO_FILES);
      return EXIT.done;
    },
  };
  return [script, complete];
}

async function candidatesFor(
  question: Question,
  commands: readonly Command[],
  open: () => Promise<Cluster>,
): Promise<readonly Candidate[]> {
  const { wanted, command, group } = question;
  if (wanted === "nothing") return [];
  if (wanted === "command") return wordsOf(commands, group);
  if (wanted === "option") return optionsOf(command).map(({ name, about }) => ({ word: `--${name}`, about }));
  if (typeof wanted !== "string") return wanted.map((word) => ({ word, about: "" }));
  return namesFor(wanted, question, await open());
}

/** The next word of a command's name. */
function wordsOf(commands: readonly Command[], group: string | undefined): readonly Candidate[] {
  const fitting = commands.filter(({ name }) => group === undefined || name.startsWith(`${group} `));
  const words = fitting.map(({ name, summary }) => {
    const [first = "", second] = name.split(" ");
    return group === undefined && second !== undefined
      ? { word: first, about: "" }
      : { word: second ?? first, about: summary };
  });
  return words.filter(({ word }, index) => words.findIndex((other) => other.word === word) === index);
}

async function namesFor(
  wanted: Exclude<Question["wanted"], "nothing" | "command" | "option" | readonly string[]>,
  question: Question,
  cluster: Cluster,
): Promise<readonly Candidate[]> {
  switch (wanted) {
    case "environment":
      return environmentNames(cluster);
    case "run":
      return runNames(cluster);
    case "environment-or-run":
      return (await Promise.all([environmentNames(cluster), runNames(cluster)])).flat();
    case "component":
      return componentNames(cluster, question);
  }
}

const placeOf = ({ namespace }: Cluster) => ({ namespace, deadlineMs: DEADLINE_MS });

async function environmentNames(cluster: Cluster): Promise<readonly Candidate[]> {
  const { items } = await cluster.client.listAll<Environment>(ENVIRONMENTS, placeOf(cluster));
  return items.map(({ metadata, status }) => ({ word: metadata.name, about: status?.summary ?? "" }));
}

async function runNames(cluster: Cluster): Promise<readonly Candidate[]> {
  const { items } = await cluster.client.listAll<Run>(RUNS, placeOf(cluster));
  return items.map(({ metadata, spec, status }) => ({
    word: metadata.name,
    about: `${spec.environment.name}/${spec.component} ${status?.outcome?.result ?? status?.phase ?? ""}`.trim(),
  }));
}

/** Those of the environment that the line names. */
async function componentNames(cluster: Cluster, question: Question): Promise<readonly Candidate[]> {
  const [name] = question.arguments;
  if (name === undefined) return [];
  const { namespace, ...options } = placeOf(cluster);
  const environment = await cluster.client.find<Environment>(ENVIRONMENTS, namespace, name, options);
  if (environment === undefined) return [];
  const removed = (environment.status?.components ?? []).map((component) => component.name);
  const names = new Set([...environment.spec.components.map((component) => component.name), ...removed]);
  return [...names].map((word) => ({ word, about: "" }));
}
