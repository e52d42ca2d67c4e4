/** Begins the message of a Run whose plan is approved and waits for something else. */
const APPROVED = "approved; ";

export const approvedText = (waitsFor: string): string => `${APPROVED}${waitsFor}`;

/** What an approved plan waits for, in the message of its Run; undefined where it is not approved. */
export const waitsForIn = (message = ""): string | undefined =>
  message.startsWith(APPROVED) ? message.slice(APPROVED.length) : undefined;
