import { runCommandLine } from "./cli/commands/command-line.ts";

await runCommandLine();
