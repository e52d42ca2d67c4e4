import type { Clock } from "../operator/loop/clock.ts";
import type { Cluster } from "./cluster.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/** What a shell may offer at a place. */
export type Offered = "environment" | "component" | "run" | "environment-or-run" | readonly string[];

export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** What the value is, in capitals; absent: the option is a switch. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly about: string;
  readonly offers?: Offered;
}

export interface ArgumentSpec {
  /** In capitals, as usage lines print it. */
  readonly name: string;
  readonly optional?: boolean;
  readonly offers: Offered;
}

/** What was said on the command line, checked against the command's own table. */
export interface Said {
  readonly arguments: readonly string[];
  /** The one that is there in any case: usage was checked. */
  argument(index: number): string;
  has(option: string): boolean;
  value(option: string): string | undefined;
  values(option: string): readonly string[];
}

/** Everything that a command uses. */
export interface Context {
  /** Connects with the caller's own kubeconfig, once. */
  cluster(): Promise<Cluster>;
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** For what does nothing but tell: it ends when it is stopped, and when nobody listens any more. */
export const untilUnheard = ({ signal, terminal }: Context): AbortSignal => AbortSignal.any([signal, terminal.unread]);

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** More lines for --help. */
  readonly details?: readonly string[];
  /** Not listed: for shells. */
  readonly hidden?: boolean;
  /** Everything after the name belongs to the command, options too. */
  readonly takesAll?: boolean;
  run(context: Context, said: Said): Promise<ExitCode>;
}

export const OUTPUT: OptionSpec = {
  name: "output",
  short: "o",
  value: "FORMAT",
  about: "json or yaml instead of text",
  offers: ["json", "yaml"],
};

export const COMPONENT: OptionSpec = {
  name: "component",
  short: "c",
  value: "COMPONENT",
  multiple: true,
  about: "only this component; may be repeated",
  offers: "component",
};

export const YES: OptionSpec = { name: "yes", short: "y", about: "do not ask" };

export const ENVIRONMENT: ArgumentSpec = { name: "ENV", offers: "environment" };
