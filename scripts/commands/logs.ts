import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { localStack } from "../stack/stacks.ts";
import { readerGone } from "./cli/closed-pipe.ts";
import { readyEngine } from "./cli/engine.ts";
import { stackOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";

export function registerLogs(program: Command): void {
  program
    .command("logs")
    .description("the end of the server's log")
    .addOption(stackOption())
    .option("-n, --lines <count>", "how many lines", positive, 50)
    .option("-f, --follow", "go on with what is logged from now on, until Ctrl-C")
    .action(
      action<{ stack?: string; lines: number; follow?: boolean }, []>(
        async (run, { stack = localStack, lines, follow }) => {
          const { readOutputs } = await import("../stack/outputs.ts");
          const { server } = await readOutputs(await readyEngine(run, { quiet: true }), run.root, stack, false);
          const { followLog, lastLines } = await import("../server/log.ts");
          const end = AbortSignal.any([run.signal, readerGone()]);
          for (const line of await lastLines(server.logDirectory, lines)) run.out.say(line);
          if (follow === true) await followLog(server.logDirectory, (text) => process.stdout.write(text), end);
        },
      ),
    );
}

function positive(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("expected a whole number of at least 1.");
  return count;
}
