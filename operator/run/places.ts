/**
 * Who waits for a place hears when a Run ends. Of one that is given back because its pod could not be made nobody tells: whoever tries again and
 * again would be woken by the others.
 */
export const LOOKS_FOR_PLACE_MS = 60_000;
