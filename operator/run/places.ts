/**
 * Whoever waits for a place is told when a Run ends. A place that comes back because a pod could not be made is told to nobody: such Runs would wake
 * one another without end.
 */
export const LOOKS_FOR_PLACE_MS = 60_000;
