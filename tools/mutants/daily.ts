import { NOBODY_IS_ASKED } from "./life.ts";
import type { JourneyMutant } from "./mutant.ts";
import { BELIEVES_IN_ITSELF } from "./operator.ts";

const CONFIGURATION = "test/journeys/configuration.test.ts";
const DELETION = "test/journeys/deletion.test.ts";
const INTERRUPTIONS = "test/journeys/interruptions.test.ts";

/** What goes wrong every day, with the behaviour taken away that helps then. Each is noticed by the journey of its row. */
export const DAILY: readonly JourneyMutant[] = [
  {
    id: "J01",
    row: "mistakes in a module",
    bug: "an error does not say its file and line",
    edits: [
      {
        file: "operator/engine/diagnostics.ts",
        find: 'const where = file === undefined ? "" :',
        replace: 'const where = file === undefined || line !== 0 ? "" :',
      },
    ],
    tests: [CONFIGURATION],
    named: "an unknown variable is named, and its correction is applied (opentofu)",
  },
  {
    id: "J02",
    row: "mistakes in a module",
    bug: "a mistake is tried again without a limit",
    edits: [
      {
        file: "operator/environment/attempts.ts",
        find: 'outcome.result !== "Waiting" && retries > limit',
        replace: 'outcome.result !== "Waiting" && retries > limit * 1000',
      },
    ],
    tests: [CONFIGURATION],
    named: "a module that is not there is tried again, with growing pauses, until the limit",
  },
  {
    id: "J03",
    row: "provider, module or registry not there",
    bug: "a version of a provider that nobody has is an error like any other",
    edits: [
      {
        file: "operator/engine/failure.ts",
        find: '? "RegistryUnreachable" : "ProviderNotFound";',
        replace: '? "RegistryUnreachable" : "ConfigurationInvalid";',
      },
    ],
    tests: [CONFIGURATION],
    named: "a version of a provider that nobody has is named, and its correction is applied (opentofu)",
  },
  {
    id: "J04",
    row: "ways in which git fails",
    bug: "all ways in which git fails have one reason",
    edits: [
      {
        file: "operator/source/git-error.ts",
        find: 'pattern?.reason ?? "GitFailed",',
        replace: '"GitFailed",',
      },
    ],
    tests: ["test/journeys/git.test.ts"],
    named: "each way in which git fails has its reason",
  },
  {
    id: "J05",
    row: "Secret, ConfigMap or key missing",
    bug: "what is missing is not looked for: the module gets no value",
    edits: [
      { file: "runner/agent/inputs.ts", find: "if (missing.length > 0) {", replace: "if (missing.length > 99) {" },
    ],
    tests: ["test/journeys/inputs.test.ts"],
    named: "a missing Secret, and then a missing key",
  },
  {
    id: "J06",
    row: "Secret, ConfigMap or key missing",
    bug: "a wait for an input is as long as it began with, whoever asks for a Run",
    edits: [
      {
        file: "operator/environment/attempts.ts",
        find: "run.spec.request === wanted.request)\n",
        replace: "run.spec.request !== null)\n",
      },
    ],
    tests: ["test/journeys/inputs.test.ts"],
    named: "what was missing is used at once when a Run is asked for",
  },
  {
    id: "J07",
    row: "an output that a component does not have",
    bug: "an output that nobody has is not noticed",
    edits: [
      {
        file: "operator/environment/offered-outputs.ts",
        find: "if (offered.some((record) => record.name === output.name)) continue;",
        replace: "if (offered.length >= 0) continue;",
      },
    ],
    tests: ["test/journeys/graph.test.ts"],
    named: "an output that a component does not have stalls who asks",
  },
  {
    id: "J08",
    row: "a backend of the module's own",
    bug: "the backend of a module is taken over without a word",
    edits: [
      {
        file: "runner/agent/module-layout.ts",
        find: "if (ownBackend === undefined || overridden) return;",
        replace: "if (ownBackend === undefined || !overridden) return;",
      },
      {
        file: "runner/agent/plan-step.ts",
        find: 'if (backend === "http") return;',
        replace: 'if (backend !== "none") return;',
      },
    ],
    tests: [CONFIGURATION],
    named: "a module with a backend of its own waits for a decision, and goes on after it (opentofu)",
  },
  {
    id: "J09",
    row: "an apply that fails half way",
    bug: "of what failed, only one address is told",
    edits: [{ file: "runner/agent/engine-failure.ts", find: "sorted.slice(0, 10)", replace: "sorted.slice(0, 1)" }],
    tests: ["test/journeys/failures.test.ts"],
    named: "the retry goes on from there (opentofu)",
  },
  {
    id: "J10",
    row: "runners that are killed",
    bug: "a runner that was killed in plan is the end of it",
    edits: [
      {
        file: "operator/environment/attempts.ts",
        find: '  if (outcome.retry === "Never") return',
        replace: '  if (outcome.retry === "Never" || outcome.reason === "RunnerLost") return',
      },
    ],
    tests: [INTERRUPTIONS],
    named: "killed in plan: it is tried again by itself, and ends well (opentofu)",
  },
  {
    id: "J11",
    row: "runners that are killed",
    bug: "an apply that was cut off is repeated, and nobody asked",
    edits: NOBODY_IS_ASKED,
    tests: [INTERRUPTIONS],
    named: "it goes on when that is asked for (opentofu)",
  },
  {
    id: "J12",
    row: "an operator that goes away",
    bug: "what a gateway has issued is worth nothing after its process has ended, and no pod asks for more",
    edits: [
      {
        file: "operator/gateway/sessions.ts",
        find: 'createHmac("sha256", ring.derive("session"))',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of another file
        replace: 'createHmac("sha256", ring.derive(`session ${process.env.HOSTNAME} ${performance.timeOrigin}`))',
      },
      {
        file: "runner/agent/gateway-client.ts",
        find: "    if (answer.status !== 401) return answer;",
        replace: "    if (answer.status !== 402) return answer;",
      },
    ],
    tests: ["test/journeys/alone/operator.test.ts"],
    named: "killed, all replicas at once, in an apply",
  },
  {
    id: "J13",
    row: "the gateway is away for two minutes",
    bug: "an agent that does not reach the gateway gives up after half a minute",
    edits: [
      {
        file: "runner/agent/patience.ts",
        find: "      if (!(error instanceof GatewayAway)) throw error;",
        replace:
          "      if (!(error instanceof GatewayAway) || (Number.isFinite(toldAt) && performance.now() - toldAt > 30_000)) throw error;",
      },
    ],
    tests: ["test/journeys/gateway.test.ts"],
    named: "for two minutes in an apply",
  },
  {
    id: "J14",
    row: "deletion without its sources",
    bug: "a destroy works from what is declared now",
    edits: [
      {
        file: "operator/gateway/work-order.ts",
        find: 'return operation === "Apply" ? undefined : archivedModule(record);',
        replace: 'return operation === "Check" ? archivedModule(record) : undefined;',
      },
    ],
    tests: [DELETION],
    named: "works without the repository, the ConfigMap and the Secret of its variables (opentofu)",
  },
  {
    id: "J15",
    row: "deletion that fails",
    bug: "a deleted Environment goes before what it made",
    edits: [
      {
        file: "operator/environment/decide.ts",
        find: 'if (!isLeft && !verdicts.some(isThere)) return { type: "letGo" };',
        replace: 'if (isLeft || !verdicts.some(isThere)) return { type: "letGo" };',
      },
    ],
    tests: [DELETION],
    named: "a destroy that fails keeps the Environment with the reason",
  },
  {
    id: "J16",
    row: "large states, plans and outputs",
    bug: "no request may have more than a mebibyte",
    edits: [
      {
        file: "operator/gateway/server.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of another file
        find: "const bodyLimit = limits[`${limit}Bytes`];",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of another file
        replace: "const bodyLimit = Math.min(1_048_576, limits[`${limit}Bytes`]);",
      },
    ],
    tests: ["test/journeys/size.test.ts"],
    named: "5,000 resources are made, and kept when the Environment goes (opentofu)",
  },
  {
    id: "J17",
    row: "hostile strings",
    bug: "a path may lead out of the source",
    edits: [
      {
        file: "charts/terrarium/templates/crds/environments.yaml",
        find: "(self.matches('^[A-Za-z0-9_.][A-Za-z0-9_./ +@-]*$') && !self.split('/').exists(p, p == '..'))",
        replace: "self.matches('^[A-Za-z0-9_.][A-Za-z0-9_./ +@-]*$')",
      },
    ],
    tests: ["test/journeys/hostile.test.ts"],
    named: "are refused at the door, with a sentence that helps",
  },
  {
    id: "J18",
    row: "secret values in messages",
    bug: "secrets are not taken out of what an engine prints",
    edits: [
      {
        file: "runner/agent/scrub.ts",
        find: "if (text.length >= shortestFolded) this.#forms.add(text);",
        replace: "if (text.length < shortestFolded) this.#forms.add(text);",
      },
    ],
    tests: ["test/journeys/secrecy.test.ts"],
    named: "a condition that quotes it: the value appears nowhere outside of Secrets (opentofu)",
  },
  {
    id: "J19",
    row: "an operator that goes away",
    bug: "a leader that was frozen believes in itself when it wakes",
    edits: BELIEVES_IN_ITSELF,
    tests: ["test/journeys/alone/operator.test.ts"],
    named: "woken when another one leads: it writes nothing any more and ends",
  },
  {
    id: "J20",
    row: "a store that takes nothing",
    bug: "what Kubernetes does not let the store keep is refused to the pod, and for good",
    edits: [
      {
        file: "operator/gateway/errors.ts",
        find: 'answer("StoreUnavailable", "the Kubernetes API refuses: send this again")',
        replace: 'answer("BadRequest", "the Kubernetes API refuses: send this again")',
      },
    ],
    tests: ["test/journeys/alone/store.test.ts"],
    named: "takes no state in an apply: it waits in the pod",
  },
];
