import type { Command } from "commander";

/** Reads the file of a command and answers what puts it below another. */
export type Registration = () => Promise<(parent: Command, typed: readonly string[]) => void | Promise<void>>;

/**
 * Puts commands below another: only the one that is meant where that is clear, for every file that is read lengthens the start.
 *
 * @param typed what was typed after the parent's name
 */
export async function register(
  parent: Command,
  commands: Readonly<Record<string, Registration>>,
  typed: readonly string[],
): Promise<void> {
  const index = typed.findIndex((word) => !word.startsWith("-"));
  const name = typed[index];
  const meant = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  // Help lists them all, and so does the answer to a name that there is not.
  const wanted = meant === undefined ? Object.values(commands) : [meant];
  const registered = await Promise.all(wanted.map((registration) => registration()));
  for (const add of registered) await add(parent, typed.slice(index + 1));
}
