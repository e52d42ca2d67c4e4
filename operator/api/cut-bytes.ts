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

const isInsideCharacter = (byte: number | undefined): boolean => ((byte ?? 0) & 0xc0) === 0x80;
