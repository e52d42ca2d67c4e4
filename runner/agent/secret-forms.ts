/** The spellings in which a secret value can turn up in what programs print. */

/** Shorter values are not looked for: they would turn every other word into "(sensitive)". */
export const shortestSecret = 4;
/** A line of a multi-line secret is looked for by itself when it is at least this long. */
const shortestLine = 12;
/** Of a longer value only so many characters are looked for: each costs memory in every spelling. */
const longestSecret = 16_384;

/** Every spelling of one value: raw, line by line, escaped as JSON, as base64 in all alignments, URL-encoded. */
export function formsOf(value: string): string[] {
  const forms = new Set<string>();
  for (const part of partsOf(value)) {
    if (part.length < shortestSecret) continue;
    forms.add(part);
    for (const escaped of jsonForms(part)) forms.add(escaped);
    for (const encoded of base64Forms(part)) forms.add(encoded);
    for (const encoded of urlForms(part)) forms.add(encoded);
  }
  return [...forms].filter((form) => form.length >= shortestSecret);
}

/** The strings inside a JSON value: what must be hidden of a sensitive object or list. */
export function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number" || typeof value === "bigint") return [String(value)];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  if (value !== null && typeof value === "object") return Object.values(value).flatMap(stringsIn);
  return [];
}

function partsOf(value: string): string[] {
  const whole = value.slice(0, longestSecret).trim();
  const lines = whole.split(/\r?\n/);
  const long = lines.length === 1 ? [] : lines.map((line) => line.trim()).filter((line) => line.length >= shortestLine);
  return [...new Set([whole, ...long, ...documentStrings(whole)])];
}

/** A secret that is a JSON document (a service account's key) leaks through its parts. */
function documentStrings(text: string): string[] {
  if (!text.startsWith("{") && !text.startsWith("[")) return [];
  try {
    return stringsIn(JSON.parse(text)).filter((part) => part.length >= shortestLine);
  } catch {
    return [];
  }
}

/** JSON's own escapes, and those that Go adds for `<`, `>` and `&`; once more for JSON within JSON. */
function jsonForms(value: string): string[] {
  const once = JSON.stringify(value).slice(1, -1);
  const go = once.replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
  const twice = JSON.stringify(once).slice(1, -1);
  // The engines escape template marks when they print a string as HCL.
  const hcl = once.replaceAll("${", "$${").replaceAll("%{", "%%{");
  return [once, go, twice, hcl];
}

/** Where the value begins one or two bytes into a group of three, its first and last characters depend on neighbours. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const from = shift === 0 ? 0 : shift + 1;
    const whole = Math.floor(((shift + bytes.length) * 8) / 6);
    const sure = encoded.slice(from, whole);
    return [sure, sure.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

function urlForms(value: string): string[] {
  const percent = encodeURIComponent(value.toWellFormed());
  const strict = percent.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return [
    percent,
    strict,
    strict.replaceAll("%20", "+"),
    strict.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  ];
}
