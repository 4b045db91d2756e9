import { createInterface } from "node:readline/promises";

/** Returns true if stdin and stderr are terminals, so that a question can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal. Enter alone means yes, end of input means no. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const answer = await ask(`${question} [Y/n] `, signal);
  return answer !== undefined && /^(y(es)?)?$/i.test(answer);
}

/**
 * Asks on the terminal.
 *
 * @returns the trimmed answer, or undefined if the input ended
 */
export async function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  // Not in terminal mode, which would intercept Ctrl-C.
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const ended = new Promise<undefined>((resolve) => reader.once("close", () => resolve(undefined)));
    return (await Promise.race([reader.question(question, { signal }), ended]))?.trim();
  } finally {
    reader.close();
  }
}
