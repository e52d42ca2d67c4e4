import { NotConfirmed } from "./outcomes.ts";
import type { Terminal } from "./terminal.ts";

export interface Question {
  /** What was shown before says what it is about; this is the question alone. */
  readonly text: string;
  /** The only answer that counts. */
  readonly answer: string;
  /** Said with --yes. */
  readonly agreed: boolean;
}

/** Returns when somebody agreed. Throws NotConfirmed otherwise. */
export async function confirm(terminal: Terminal, { text, answer, agreed }: Question): Promise<void> {
  if (agreed) return;
  if (!terminal.interactive) throw new NotConfirmed("Nobody can be asked here: add --yes if you mean it");
  const said = await terminal.ask(`${text} Only "${answer}" counts: `);
  if (said.trim() !== answer) throw new NotConfirmed("Nothing was done.");
}
