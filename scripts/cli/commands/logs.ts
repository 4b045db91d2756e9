import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { localStack } from "../../stack/stacks.ts";
import { readerGone } from "../closed-pipe.ts";
import { action } from "../context.ts";
import { stackOption } from "../options.ts";
import { outputsOf } from "../stack.ts";

export function registerLogs(program: Command): void {
  program
    .command("logs")
    .description("print the last lines of the server's log")
    .addOption(stackOption())
    .option("-n, --lines <count>", "number of lines", positive, 50)
    .option("-f, --follow", "keep printing new lines until Ctrl-C")
    .action(
      action<{ stack?: string; lines: number; follow?: boolean }, []>(
        async (context, { stack = localStack, lines, follow }) => {
          const { server } = await outputsOf(context, stack, false);
          const end = AbortSignal.any([context.signal, readerGone()]);
          if (server.kind === "external")
            throw new OperationError(`Stack "${stack}" has an external server. Read its log on its own machine.`, {
              exitCode: exitCode.notAllowed,
            });
          if (server.kind === "docker") {
            const { withDocker } = await import("../../docker/client.ts");
            const { printLog } = await import("../../docker/container-log.ts");
            await withDocker(server.dockerHost, (docker) =>
              printLog(docker, server.container, { lines, follow: follow === true, signal: end }, process.stdout),
            );
            return;
          }
          const { followLog, lastLines } = await import("../../server/log.ts");
          for (const line of await lastLines(server.logDirectory, lines)) context.out.say(line);
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
