import { exitCode, OperationError } from "../core/operation-error.ts";
import { shortened } from "./checkouts.ts";

/** Parts of a statement in which any word can stand: comments, strings and quoted names. */
const opaque =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\be'(?:[^'\\]|''|\\[\s\S])*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[a-z_]\w*)?\$)[\s\S]*?\1/gi;
const innerParentheses = /\([^()]*\)/g;

// The grammar accepts STDIN and STDOUT in both directions.
const forms = {
  copyFrom: { name: "COPY … FROM STDIN", pattern: /^\s*copy\b[^;]*\bfrom\s+std(?:in|out)\b[^;]*;?\s*$/i },
  copyTo: { name: "COPY … TO STDOUT", pattern: /^\s*copy\b[^;]*\bto\s+std(?:in|out)\b[^;]*;?\s*$/i },
} as const;

/**
 * Refuses a statement that is no COPY in this direction. The server would run it before the first answer shows the
 * mistake, and the streams of a COPY cannot handle another answer.
 *
 * @throws OperationError (wrong usage)
 */
export function requireCopy(text: string, call: keyof typeof forms): void {
  const { name, pattern } = forms[call];
  let plain = text.replace(opaque, (part) => (/^(--|\/\*)/.test(part) ? " " : "''"));
  for (let before = ""; before !== plain; ) {
    before = plain;
    plain = plain.replace(innerParentheses, " ");
  }
  if (pattern.test(plain)) return;
  throw new OperationError(`${call}() runs one ${name}, and the statement is: ${shortened(text)}`, {
    hint: `Use copyFrom() for ${forms.copyFrom.name}, copyTo() for ${forms.copyTo.name}, and query() for the rest.`,
    exitCode: exitCode.usage,
  });
}
