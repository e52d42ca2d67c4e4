import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pod } from "../../operator/cluster/kinds.ts";
import type { Stored } from "../../operator/cluster/ports.ts";
import { freePort } from "../../tools/free-port.ts";
import { aComponent } from "../fakes/objects.ts";
import { engineBinary, exitOf, layoutIn, startAgent, startLauncher } from "../runner/pod-processes.ts";
import type { Engines, EnginesParts, Hands } from "./engines.ts";

/** The runner's real programs with a real engine: a process group for each pod. Every resource says in a common file when it is made and destroyed. */
export function realEngines(parts: EnginesParts): Engines {
  const root = mkdtempSync(join(tmpdir(), "real-pods-"));
  const ledger = join(root, "ledger");
  const said = `${ledger}.said`;
  const pods = new Set<Processes>();
  writeFileSync(ledger, "");
  const entries = (): readonly string[] => readFileSync(ledger, "utf8").split("\n").slice(0, -1);
  const hear = (): void => {
    if (!existsSync(said)) return;
    if (parts.dies()) for (const pod of pods) pod.kill();
    rmSync(said, { force: true });
  };
  const listening = watch(root, hear);
  return {
    spec: (version) => ({
      source: { inline: { "main.tf": moduleFor(ledger) } },
      components: [
        aComponent("network", { terraform: { path: ".", variables: [{ name: "value", value: `v${version}` }] } }),
      ],
    }),
    async run(pod, hands) {
      const processes = await start(join(root, pod.metadata.uid), pod, hands, parts.tell);
      pods.add(processes);
      const ends = await processes.ended();
      pods.delete(processes);
      return ends.every((end) => end === 0);
    },
    ledger: () => inTheirWords(entries(), parts.violated),
    things: () => standing(entries()),
    async close() {
      for (const pod of pods) pod.kill();
      await Promise.all([...pods].map((pod) => pod.ended()));
      listening.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Both wait until their word was heard, and the second for the first: so that a pod can be killed between two changes. */
const moduleFor = (ledger: string): string => `
  variable "value" {}
  ${["first", "second"]
    .map(
      (name) => `
  resource "terraform_data" "${name}" {
    input            = var.value
    triggers_replace = var.value
    ${name === "second" ? "depends_on = [terraform_data.first]" : ""}
    provisioner "local-exec" {
      command = "${tell(ledger, `create ${name} $\{self.input} by $PPID`)}"
    }
    provisioner "local-exec" {
      when    = destroy
      command = "${tell(ledger, `destroy ${name} $\{self.input} by $PPID`)}"
    }
  }`,
    )
    .join("\n")}
  output "id" { value = terraform_data.second.id }`;

const tell = (ledger: string, what: string): string =>
  `echo ${what} >> ${ledger}; touch ${ledger}.said; while [ -e ${ledger}.said ]; do sleep 0.02; done`;

interface Processes {
  kill(): void;
  ended(): Promise<readonly (number | string)[]>;
}

async function start(root: string, pod: Stored<Pod>, hands: Hands, tell: (line: string) => void): Promise<Processes> {
  mkdirSync(root);
  // These pods share the machine's loopback; in a cluster each has its own.
  const layout = layoutIn(root, await freePort());
  writeFileSync(layout.token, await hands.token());
  writeFileSync(layout.terminationLog, "");
  const agent = startAgent(layout, "opentofu", { env: environmentOf(pod, "agent"), detached: true });
  const launcher = startLauncher(layout, await engineBinary("opentofu"), { detached: true });
  const children = [agent, launcher];
  for (const { stdout, stderr } of children)
    for (const stream of [stdout, stderr]) stream?.on("data", (text) => tell(String(text).trimEnd()));
  const askToEnd = () => void children.map((child) => child.kill("SIGTERM"));
  hands.ending.addEventListener("abort", askToEnd, { once: true });
  if (hands.ending.aborted) askToEnd();
  return {
    kill: () => void children.map(killGroup),
    ended: () => Promise.all(children.map(exitOf)),
  };
}

/** As the kubelet sets it. */
const environmentOf = ({ spec }: Stored<Pod>, container: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    spec?.containers.find(({ name }) => name === container)?.env?.map(({ name, value = "" }) => [name, value]) ?? [],
  );

function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
}

/** Engines are numbered as they come. One that does something after the next one has begun was a second writer. */
function inTheirWords(entries: readonly string[], violated: (what: string) => void): readonly string[] {
  const engines: string[] = [];
  return entries.map((entry) => {
    const [what = "", process = ""] = entry.split(" by ");
    if (engines.includes(process) && engines.at(-1) !== process) violated(`I1: two engines at once: ${entries.join()}`);
    if (!engines.includes(process)) engines.push(process);
    return `${what} by engine ${engines.indexOf(process) + 1}`;
  });
}

/** What was made and not destroyed since. */
function standing(entries: readonly string[]): readonly string[] {
  const things: string[] = [];
  for (const entry of entries) {
    const [verb, thing = "", value = ""] = entry.split(" ");
    if (verb === "create") things.push(`${thing} ${value}`);
    else things.splice(things.indexOf(`${thing} ${value}`), 1);
  }
  return things;
}
