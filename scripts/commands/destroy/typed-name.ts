import { createInterface } from "node:readline/promises";
import { exitCode, OperationError } from "../../errors/operation-error.ts";
import type { Run } from "../cli/run.ts";

/**
 * Asks on a terminal for names to be typed; elsewhere there is nobody to ask.
 *
 * @param names each is asked for
 * @param refused what is not done without them: "Taking down stack x"
 * @throws OperationError (not allowed) where they were not typed
 */
export async function requireTyped(run: Run, names: readonly string[], refused: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new OperationError(`${refused} needs a confirmation: nothing was changed.`, {
      remedy: "Add --yes.",
      exitCode: exitCode.notAllowed,
    });
  }
  for (const name of names) {
    const typed = await ask(`Type ${name} to go on: `, run.signal);
    if (typed === name) continue;
    throw new OperationError(`"${typed}" is not "${name}": nothing was changed.`, { exitCode: exitCode.notAllowed });
  }
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  // Not as a terminal: that would take Ctrl-C away from the run.
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    const ended = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
    return (await Promise.race([reader.question(question, { signal }), ended])).trim();
  } finally {
    reader.close();
  }
}
