import type { Command } from "commander";
import { commandLine, runCommandLine } from "../../../../../scripts/cli/commands/command-line.ts";

/**
 * Runs every command that has the option in the arguments, one after the other in this process. Prints what each one
 * wrote to stdout, and its exit code.
 */
const [option = ""] = process.argv.slice(2);

interface Leaf {
  path: string[];
  command: Command;
}

function leaves(command: Command, path: readonly string[] = []): Leaf[] {
  return command.commands.flatMap((child) => [
    { path: [...path, child.name()], command: child },
    ...leaves(child, [...path, child.name()]),
  ]);
}

const write = process.stdout.write.bind(process.stdout);
const runs: { command: string; stdout: string; exit: typeof process.exitCode }[] = [];
for (const { path, command } of leaves(await commandLine())) {
  if (!command.options.some(({ long }) => long === option)) continue;
  const needed = command.registeredArguments.filter(({ required }) => required).map((_, index) => `name${index}`);
  const options = command.options
    .filter(({ mandatory }) => mandatory)
    .flatMap(({ long }) => (long === undefined ? [] : [long, "name"]));
  let stdout = "";
  process.stdout.write = (text: string | Uint8Array) => {
    stdout += String(text);
    return true;
  };
  process.argv = ["node", "pgw", ...path, ...needed, ...options, option];
  await runCommandLine();
  process.stdout.write = write;
  runs.push({ command: path.join(" "), stdout, exit: process.exitCode });
}
process.exitCode = 0;
write(JSON.stringify(runs));
