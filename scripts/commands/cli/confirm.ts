import { createInterface } from "node:readline/promises";

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal; Enter alone means yes, an end of the input no. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  // Not as a terminal: that would take Ctrl-C away from the run.
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const ended = new Promise<string>((resolve) => reader.once("close", () => resolve("n")));
    const answer = await Promise.race([reader.question(`${question} [Y/n] `, { signal }), ended]);
    return /^\s*(y(es)?)?\s*$/i.test(answer);
  } finally {
    reader.close();
  }
}
