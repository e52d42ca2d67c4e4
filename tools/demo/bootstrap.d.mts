/** Why dependencies have to be installed, or undefined when node_modules holds what the lock file says. */
export function staleDependencies(folder: string): string | undefined;

/** By script, its options with what stands for their values; switches have none. */
export const OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What to say when npm took options of the script for its own; undefined when it did not. */
export function misplacedOptions(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): string | undefined;
