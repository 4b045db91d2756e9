/*
 * Messages and reports show values of a source on one line, without characters that terminals act on or that a
 * reader would not see, and shortened. Files for programs, such as rejects.jsonl, hold the values as they are.
 */

/** Longest text from a source in a report, in characters. */
const mostShown = 120;

/** Longest part of a value within a sentence, in characters. */
const mostOfValue = 60;

const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Escapes control characters, invisible ones and those that change the direction of writing: `\u001b`. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = (character.codePointAt(0) as number).toString(16);
    return named[character] ?? (code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`);
  });
}

/** Shows a text on one line, escaped and cut. A text that was shown before stays as it is. */
export function shown(text: string, most = mostShown): string {
  const pieces = [...text.slice(0, most + 1)].map(printable);
  if (text.length <= most) {
    const whole = pieces.join("");
    if (whole.length <= most) return whole;
  }
  let cut = "";
  for (const piece of pieces) {
    if (cut.length + piece.length >= most) break;
    cut += piece;
  }
  return `${cut}…`;
}

/** Cuts a value for a sentence. */
export function shorten(text: string, most = mostOfValue): string {
  // Half of a surrogate pair may be left at the end.
  return text.length > most ? `${text.slice(0, most).replace(/[\ud800-\udbff]$/, "")}…` : text;
}

/** Cuts a text, and quotes it with what cannot be printed escaped. */
export function quoted(text: string): string {
  return printable(JSON.stringify(shorten(text)));
}

/** SQL of {@link shorten}. */
export function shortenSql(expression: string, most = mostOfValue): string {
  return `case when length(${expression}) > ${most} then left(${expression}, ${most}) || '…' else ${expression} end`;
}
