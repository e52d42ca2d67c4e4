/** A state's serial, changed in its text: everything else stays byte for byte, numbers too long for JavaScript among it. */

/** The state with another serial. `content` must be a state: an object with a number under `serial`. */
export function withSerial(content: string, serial: number): string {
  const { from, to } = placeOfSerial(content);
  return `${content.slice(0, from)}${serial}${content.slice(to)}`;
}

/** Where the digits of the member `serial` of the outermost object stand. */
function placeOfSerial(content: string): { readonly from: number; readonly to: number } {
  let depth = 0;
  for (let at = 0; at < content.length; at += 1) {
    const character = content[at];
    if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    else if (character === '"') {
      const end = endOfString(content, at);
      const value = depth === 1 && content.slice(at, end) === '"serial"' ? digitsAfter(content, end) : undefined;
      if (value !== undefined) return value;
      at = end - 1;
    }
  }
  throw new RangeError("the text has no serial");
}

function endOfString(content: string, start: number): number {
  for (let at = start + 1; at < content.length; at += 1) {
    if (content[at] === "\\") at += 1;
    else if (content[at] === '"') return at + 1;
  }
  return content.length;
}

/** Undefined where the string was a value: no colon and number follow. */
function digitsAfter(content: string, end: number): { readonly from: number; readonly to: number } | undefined {
  const pattern = /\s*:\s*(\d+)/y;
  pattern.lastIndex = end;
  const found = pattern.exec(content);
  const digits = found?.[1];
  return digits === undefined ? undefined : { from: pattern.lastIndex - digits.length, to: pattern.lastIndex };
}
