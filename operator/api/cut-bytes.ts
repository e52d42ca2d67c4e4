const MARK = "…";

/**
 * At most so many bytes of UTF-8, without half a character and with a mark where something was left out: limits of Kubernetes and of our schemas'
 * budgets are counted in bytes.
 */
export function cutBytes(text: string, most: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  let end = Math.max(0, most - Buffer.byteLength(MARK));
  while (end > 0 && isInsideCharacter(bytes[end])) end -= 1;
  return `${bytes.subarray(0, end).toString()}${MARK}`;
}

/** At most so many characters, as schemas count them, for what need not be small: a text that fits is left as it is. */
export function cutCharacters(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = most - MARK.length;
  return `${text.slice(0, isHighSurrogate(text.charCodeAt(end - 1)) ? end - 1 : end)}${MARK}`;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;

const isInsideCharacter = (byte: number | undefined): boolean => ((byte ?? 0) & 0xc0) === 0x80;
