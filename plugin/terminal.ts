/** Where a command speaks and listens. */
export interface Terminal {
  /** One line, or several, to stdout. */
  print(text: string): void;
  /** One line, or several, to stderr. */
  tell(text: string): void;
  /** Contents to stdout, as they are. */
  write(content: Uint8Array): void;
  /** All of stdin. */
  read(): Promise<string>;
  /** stdout is a terminal that shows colours, and nobody asked for none. */
  readonly colours: boolean;
  /** Somebody can be asked. */
  readonly interactive: boolean;
  /** Asks on stderr, so that what is printed stays clean; "" when the input ends. */
  ask(question: string): Promise<string>;
  /** Aborted when nobody takes what is printed any more, as behind `| head`: what only tells ends then, and what acts goes on in silence. */
  readonly unread: AbortSignal;
  /** Takes the place of what was shown before, where stdout is a terminal; otherwise follows it. */
  show(text: string): void;
  /** stdout is a terminal: what is shown may be shown again as often as it changes. */
  readonly redraws: boolean;
}
