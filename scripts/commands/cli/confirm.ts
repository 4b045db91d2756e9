import { createInterface } from "node:readline/promises";

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal; Enter alone means yes, an end of the input no. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const answer = await ask(`${question} [Y/n] `, signal);
  return answer !== undefined && /^(y(es)?)?$/i.test(answer);
}

/** Asks on the terminal. @returns what was typed, without blanks around it; undefined: the input ended instead */
export async function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  // Not as a terminal: that would take Ctrl-C away from the run.
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const ended = new Promise<undefined>((resolve) => reader.once("close", () => resolve(undefined)));
    return (await Promise.race([reader.question(question, { signal }), ended]))?.trim();
  } finally {
    reader.close();
  }
}
