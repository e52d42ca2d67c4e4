/** What the agent writes in the place of a secret, wherever anybody may read it. */
export const MASK = "(sensitive)";
