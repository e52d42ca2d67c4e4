import { adviceFor } from "./advice.ts";
import { noticesFor } from "./notices.ts";
import type { Picture } from "./picture.ts";

/** What was found out about a cluster and about who asks. "hidden": the caller may not look. */
export interface HealthFacts {
  readonly context: string;
  readonly server: string;
  readonly version: string;
  /** Kinds of our group that the API server serves; undefined: it has no such group. */
  readonly kinds: readonly string[] | undefined;
  readonly operator: OperatorFacts | "hidden" | undefined;
  readonly user: string;
  readonly namespace: string;
  readonly rights: readonly Right[];
  readonly pictures: readonly Picture[] | "hidden";
  /** An environment was named: it is looked at more closely. */
  readonly focus: boolean;
  readonly nowMs: number;
}

export interface OperatorFacts {
  readonly namespace: string;
  readonly wanted: number;
  readonly ready: number;
  readonly image: string;
  /** When the leader last renewed its lease; undefined: there is none, or it may not be seen. */
  readonly renewedAt?: string;
  /** It was renewed under the caller's eyes, whatever the clocks say. */
  readonly renews?: boolean;
}

export interface Right {
  /** As in `approve plans`. */
  readonly to: string;
  readonly allowed: boolean;
  /** The role that brings it. */
  readonly role: string;
}

export type Level = "good" | "unknown" | "warn" | "bad";

export interface Finding {
  readonly about: "cluster" | "operator" | "you" | "environment";
  readonly level: Level;
  readonly says: string;
  /** What to do, or commands that do it. */
  readonly next: readonly string[];
}

/** A leader renews every few seconds; after this long it is gone. */
export const LEASE_MS = 30_000;

export function diagnosis(facts: HealthFacts): readonly Finding[] {
  const cluster = aboutCluster(facts);
  if (facts.kinds === undefined) return [cluster];
  return [cluster, ...aboutOperator(facts), ...aboutYou(facts), ...aboutEnvironments(facts)];
}

const finding = (about: Finding["about"], level: Level, says: string, ...next: readonly string[]): Finding => ({
  about,
  level,
  says,
  next,
});

function aboutCluster({ context, server, version, kinds }: HealthFacts): Finding {
  const where = `${context} (${server}), Kubernetes ${version}`;
  if (kinds === undefined) {
    const next =
      "helm install terrarium charts/terrarium -n terrarium-system --create-namespace, or choose with --context";
    return finding("cluster", "bad", `${where}: Terrarium is not installed here.`, next);
  }
  const minor = Number(/^v1\.(\d+)/.exec(version)?.[1] ?? Number.NaN);
  if (minor < 34) return finding("cluster", "warn", `${where}: Terrarium is made for Kubernetes 1.34 and later.`);
  return finding("cluster", "good", where);
}

function aboutOperator(facts: HealthFacts): readonly Finding[] {
  const { operator, nowMs } = facts;
  if (operator === undefined)
    return [
      finding("operator", "bad", "There is no operator: nobody acts on environments.", "helm install terrarium …"),
    ];
  if (operator === "hidden") return [fromTraces(facts)];
  const { namespace, ready, wanted, image, renewedAt, renews } = operator;
  const look = `kubectl -n ${namespace} logs deployment/terrarium-operator`;
  if (ready === 0) return [finding("operator", "bad", `None of ${wanted} replicas in ${namespace} is ready.`, look)];
  const level = ready < wanted ? "warn" : "good";
  const replicas = finding("operator", level, `${ready} of ${wanted} replicas are ready in ${namespace} (${image})`);
  if (renewedAt === undefined || renews) return [replicas];
  const silentMs = nowMs - Date.parse(renewedAt);
  if (silentMs <= LEASE_MS) return [replicas];
  const seconds = Math.round(silentMs / 1000);
  return [replicas, finding("operator", "bad", `Nobody leads: the lease was renewed ${seconds}s ago.`, look)];
}

/** Whoever may not see the operator sees whether it looks at what they declare. */
function fromTraces({ pictures }: HealthFacts): Finding {
  const hidden = "You may not look at the operator itself";
  if (pictures === "hidden" || pictures.length === 0) return finding("operator", "unknown", `${hidden}.`);
  const unseen = pictures.filter(({ seen }) => !seen).map(({ name }) => name);
  // It did once. Whether it works now is not in what it has written.
  if (unseen.length === 0)
    return finding("operator", "unknown", `${hidden}; it has looked at the newest spec of every environment here.`);
  const says = `${hidden}, and it has not looked at the newest spec of ${unseen.join(", ")}.`;
  return finding("operator", "warn", says, "When it stays so, tell who runs Terrarium here.");
}

function aboutYou({ user, namespace, rights }: HealthFacts): readonly Finding[] {
  const who = finding("you", "good", `You are ${user}, in the namespace ${namespace}.`);
  return [
    who,
    ...rights.map(({ to, allowed, role }) =>
      allowed
        ? finding("you", "good", `You may ${to}.`)
        : finding("you", "unknown", `You may not ${to}: that takes the role ${role}.`),
    ),
  ];
}

function aboutEnvironments({ pictures, namespace, focus }: HealthFacts): readonly Finding[] {
  // The rights say it, too; but whoever asks about one hears that nothing was found out about it.
  if (pictures === "hidden")
    return focus ? [finding("environment", "bad", "You may not see it, so nothing is known about it here.")] : [];
  if (pictures.length === 0) return [finding("environment", "good", `There are no environments in ${namespace}.`)];
  return pictures.flatMap((picture) => aboutEnvironment(picture, focus));
}

function aboutEnvironment(picture: Picture, focus: boolean): readonly Finding[] {
  const wrong = [...waiting(picture), ...noticed(picture)];
  const isBad = wrong.some(({ level }) => level === "bad");
  if (isBad && !focus) return [inShort(picture)];
  return isBad && picture.seen ? wrong : [asAWhole(picture), ...wrong];
}

const waiting = (picture: Picture): readonly Finding[] =>
  adviceFor(picture).map(({ component, why, commands }) =>
    finding("environment", "bad", `${picture.name}/${component}: ${why}`, ...commands),
  );

const noticed = (picture: Picture): readonly Finding[] =>
  noticesFor(picture).map(({ component, grave, says, commands }) => {
    const about = component === undefined ? picture.name : `${picture.name}/${component}`;
    return finding("environment", grave ? "bad" : "warn", `${about}: ${says}`, ...commands);
  });

/** One line for each of many, and where to read more. */
function inShort(picture: Picture): Finding {
  const { name, namespace } = picture;
  const grave = noticesFor(picture).filter((notice) => notice.grave);
  const says = [
    ...clause(adviceFor(picture), "waits for a person", "wait for a person"),
    ...clause(grave, "fails", "fail"),
    ...grave.filter(({ component }) => component === undefined).map((notice) => notice.says.replace(/\.$/, "")),
  ];
  return finding(
    "environment",
    "bad",
    `${name}: ${says.join("; ")}.`,
    `kubectl terrarium doctor ${name} -n ${namespace}`,
  );
}

function clause(about: readonly { readonly component?: string }[], one: string, several: string): readonly string[] {
  const names = about.flatMap(({ component }) => component ?? []);
  return names.length === 0 ? [] : [`${names.join(", ")} ${names.length === 1 ? one : several}`];
}

/** Where nothing is found wrong with it, or the newest spec was not seen: what was found is of an older one then. */
function asAWhole({ name, ready, summary, message, seen, reconciling }: Picture): Finding {
  if (!seen) return finding("environment", "warn", `${name}: the operator has not looked at its newest spec yet.`);
  if (ready) return finding("environment", "good", `${name} is Ready (${summary}).`);
  const goesOn = reconciling ? "goes on by itself" : "rests";
  return finding("environment", "warn", `${name} is not Ready, and ${goesOn}: ${message}`);
}
