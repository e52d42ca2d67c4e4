import { open as openFile, readFile, writeFile } from "node:fs/promises";
import { UsageError } from "../arguments.ts";
import { type ArgumentSpec, type Command, type OptionSpec, OUTPUT, type Said, YES } from "../command.ts";
import { confirm } from "../confirming.ts";
import { EXIT } from "../exit-codes.ts";
import { NotFound } from "../lookup.ts";
import { NotReady } from "../outcomes.ts";
import { paintOf, printed } from "../printing.ts";
import type { StateObject } from "../reading/states.ts";
import {
  importsOf,
  listStates,
  pullState,
  pushState,
  readState,
  restoreState,
  type StateAddress,
  unlockState,
  type Version,
} from "../state-service.ts";
import { statesView } from "../view/states.ts";

/** States, by way of the operator's API behind the API server: docs/state.md says who may do what. */

const ADDRESS: readonly ArgumentSpec[] = [
  { name: "ENV", offers: "environment" },
  { name: "COMPONENT", offers: "component" },
];
const FILE: OptionSpec = { name: "file", short: "f", value: "FILE", about: "file instead of stdin or stdout" };
const SERIAL: OptionSpec = { name: "serial", value: "N", about: "the version of this serial; state list has them" };
const RECOVERY: OptionSpec = { name: "recovery", about: "the recovery copy that an engine left behind" };
const PUT_ASIDE: OptionSpec = {
  name: "force",
  about: "another lineage or a lower serial, or one without resources; gives up a recovery copy that cannot be read",
};
const GIVE_UP: OptionSpec = { name: "force", about: "give up a recovery copy that cannot be read as a state" };

const addressOf = (said: Said): StateAddress => ({ environment: said.argument(0), component: said.argument(1) });

const list: Command = {
  name: "state list",
  summary: "the states that are stored: serial, resources, versions, lock, recovery copy",
  arguments: [{ name: "ENV", optional: true, offers: "environment" }],
  options: [OUTPUT],
  async run({ cluster: open, terminal, clock }, said) {
    const cluster = await open();
    const [name] = said.arguments;
    const states = (await listStates(cluster)).filter(
      ({ status }) => name === undefined || status.environment === name,
    );
    if (states.length === 0 && (name !== undefined || !said.value("output")))
      throw new NotFound(`There are no states${name ? ` of ${name}` : ""} in ${cluster.namespace}.`);
    terminal.print(printed(said, states, () => statesView(states, clock.now(), paintOf(terminal))));
    return EXIT.done;
  },
};

const pull: Command = {
  name: "state pull",
  summary: "the state as the engine wrote it. It holds the values of all resources, secret ones too",
  arguments: ADDRESS,
  options: [FILE, SERIAL, RECOVERY],
  details: ["Takes the role terrarium-state-reader. A file is written for its owner's eyes only."],
  async run({ cluster: open, terminal }, said) {
    const cluster = await open();
    const content = await pullState(cluster, addressOf(said), versionOf(said));
    const file = said.value("file");
    if (file === undefined) terminal.write(content);
    else await writeForOwner(file, content);
    return EXIT.done;
  },
};

const push: Command = {
  name: "state push",
  summary: "store a state: one that moves in, or one that was mended",
  arguments: ADDRESS,
  options: [FILE, PUT_ASIDE, YES],
  details: [
    "Takes the role terrarium-state-writer. What was stored before stays among the versions; no Run may be under way.",
    "kubectl terrarium state push shop network -f network.tfstate",
  ],
  async run({ cluster: open, terminal }, said) {
    const cluster = await open();
    const text = await contentOf(said, terminal.read);
    const address = addressOf(said);
    if (said.has("force"))
      await confirm(terminal, {
        text: `Put this state in the place of the one of ${address.environment}/${address.component}, whatever lineage and serial say?`,
        answer: "yes",
        agreed: said.has("yes"),
      });
    terminal.print(storedText("Pushed", await pushState(cluster, address, text, said.has("force"))));
    return EXIT.done;
  },
};

const restore: Command = {
  name: "state restore",
  summary: "make an earlier version, or the recovery copy, the newest state",
  arguments: ADDRESS,
  options: [SERIAL, RECOVERY, GIVE_UP, YES],
  details: [
    "Takes the role terrarium-state-writer. What was the newest stays among the versions: a restore can be undone.",
    "So does the recovery copy where another version is chosen. One that cannot be read as a state is in the way until --force gives it up;",
    "state pull --recovery saves what there is of it.",
  ],
  async run({ cluster: open, terminal }, said) {
    const version = versionOf(said);
    if (version === undefined) throw new UsageError("restore what? --serial N, or --recovery");
    const givesUp = said.has("force");
    if (givesUp && "recovery" in version)
      throw new UsageError("--force gives up the copy that --recovery restores: choose a version with --serial");
    const cluster = await open();
    const address = addressOf(said);
    const what = "serial" in version ? `version ${version.serial}` : "the recovery copy";
    const cost = givesUp ? ", and give up a recovery copy that cannot be read" : "";
    await confirm(terminal, {
      text: `Make ${what} the newest state of ${address.environment}/${address.component}${cost}?`,
      answer: "yes",
      agreed: said.has("yes"),
    });
    terminal.print(storedText("Restored", await restoreState(cluster, address, version, givesUp)));
    return EXIT.done;
  },
};

const imports: Command = {
  name: "state imports",
  summary: "ready-made import blocks for what the last apply, or an interrupted one, created and no state has",
  arguments: ADDRESS,
  options: [FILE],
  async run({ cluster: open, terminal }, said) {
    const text = await importsOf(await open(), addressOf(said));
    const file = said.value("file");
    if (file === undefined) terminal.write(text);
    else await writeFile(file, text);
    return EXIT.done;
  },
};

const unlock: Command = {
  name: "state unlock",
  summary: "release a lock, or a claim, whose Run has ended, or is gone; of one that is open: unlock RUN",
  arguments: ADDRESS,
  options: [YES],
  details: [
    "Takes the role terrarium-state-writer. Two writers of one state lose one of the two: make sure that nothing runs.",
  ],
  async run({ cluster: open, terminal }, said) {
    const cluster = await open();
    const address = addressOf(said);
    const name = `${address.environment}/${address.component}`;
    const { lock, claim } = (await readState(cluster, address)).status;
    const held = lock ?? claim;
    if (held === undefined) throw new NotReady(`Nobody holds the lock of ${name}, and nobody has claimed it.`);
    const what = lock === undefined ? "claim" : "lock";
    const holder = `${held.run ?? "a Run"}${held.pod ? `, in the pod ${held.pod}` : ""}`;
    terminal.tell(
      `The ${what} of ${name} was taken by ${holder}${held.since ? ` at ${held.since}` : ""}. Its id: ${held.id}`,
    );
    const text = "Does nothing of it run any more, on whatever node? Another pod may write the state then.";
    await confirm(terminal, { text, answer: "yes", agreed: said.has("yes") });
    await unlockState(cluster, address, held.id);
    terminal.print(`Released the ${what} of ${name}.`);
    return EXIT.done;
  },
};

/** One that is there already may have been for everybody: its mode is changed before anything is in it. */
async function writeForOwner(path: string, content: Buffer): Promise<void> {
  const file = await openFile(path, "w", 0o600);
  try {
    if ((await file.stat()).isFile()) await file.chmod(0o600);
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

export const stateCommands: readonly Command[] = [list, pull, push, restore, imports, unlock];

function versionOf(said: Said): Version {
  const serial = said.value("serial");
  if (serial !== undefined && said.has("recovery"))
    throw new UsageError("--serial and --recovery are two different states");
  if (said.has("recovery")) return { recovery: true };
  if (serial === undefined) return undefined;
  if (!/^\d+$/.test(serial)) throw new UsageError(`--serial is a number, not "${serial}"`);
  return { serial: Number(serial) };
}

/** Refuses what is plainly no state before anybody is asked to store it. */
async function contentOf(said: Said, readInput: () => Promise<string>): Promise<string> {
  const file = said.value("file");
  const text = file === undefined ? await readInput() : await readFile(file, "utf8");
  if (!text.trimStart().startsWith("{"))
    throw new UsageError(`${file ?? "stdin"} does not hold a state, which is JSON`);
  return text;
}

function storedText(done: string, { metadata, status }: StateObject): string {
  const { environment, component, serial, resources = 0, lastWrite } = status;
  const many = resources === 1 ? "1 resource" : `${resources} resources`;
  const stored = `${done}: the state of ${environment}/${component} has serial ${serial ?? "?"} and ${many} now.`;
  if (!lastWrite?.unsettled) return stored;
  return `${stored}\nWhat follows from it is planned as soon as it may be. A plan that changes something waits for a person: kubectl terrarium approve ${environment} -n ${metadata.namespace}`;
}
