import type { Command } from "commander";

/** Loads the module of a command and returns the function that registers it on a parent. */
export type Registration = () => Promise<(parent: Command, typed: readonly string[]) => void | Promise<void>>;

/**
 * Registers commands on a parent. If the typed command is known, loads only that one, because every module that is
 * loaded slows the start.
 *
 * @param typed the words typed after the parent's name
 */
export async function register(
  parent: Command,
  commands: Readonly<Record<string, Registration>>,
  typed: readonly string[],
): Promise<void> {
  const index = typed.findIndex((word) => !word.startsWith("-"));
  const name = typed[index];
  const meant = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  // Help lists all commands, and so does the answer to an unknown name.
  const wanted = meant === undefined ? Object.values(commands) : [meant];
  const registered = await Promise.all(wanted.map((registration) => registration()));
  for (const add of registered) await add(parent, typed.slice(index + 1));
}
