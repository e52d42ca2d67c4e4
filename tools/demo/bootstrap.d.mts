/** Why dependencies have to be installed, or undefined when node_modules holds what the lock file says. */
export function staleDependencies(folder: string): string | undefined;
