import type { Command } from "commander";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { localStack } from "../../stack/stacks.ts";
import { action } from "../context.ts";
import { jsonOption, stackOption } from "../options.ts";
import { refuseInCopy } from "../refuse-in-copy.ts";
import { outputsOf } from "../stack.ts";

export function registerDown(program: Command): void {
  program
    .command("down")
    .description("stop the stack's server and keep everything; `up` starts it again")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string }, []>(async (context, { stack = localStack }) => {
        await refuseInCopy(context, stack);
        const { requireNoRun } = await import("../../stack/stack-locked.ts");
        requireNoRun(context.root, stack, context.env);
        const { server } = await outputsOf(context, stack, false);
        const { projectName } = await import("../../stack/project.ts");
        const project = await projectName(context.root);
        if (server.kind === "external")
          throw new OperationError(`Stack "${stack}" has an external server, which pgroundwork does not stop.`, {
            exitCode: exitCode.notAllowed,
          });
        if (server.kind === "docker") {
          const { withDocker } = await import("../../docker/client.ts");
          const { stopContainers } = await import("../../docker/stop-containers.ts");
          const containers = await withDocker(server.dockerHost, (docker) =>
            stopContainers(docker, { project, stack, owner: server.owner }),
          );
          context.out.answer(
            { stack, stopped: containers.length > 0, containers, dataVolume: server.dataVolume },
            () => `${stoppedText(containers.length > 0)}; the data is kept in the volume ${server.dataVolume}`,
          );
          return;
        }
        const { stopServer } = await import("../../server/embedded.ts");
        const { dataHome } = await import("../../server/locations.ts");
        const directory = { data: server.dataDirectory, log: server.logDirectory };
        const owner = { clone: context.root, project, stack };
        const stopped = await stopServer(dataHome(context.env, process.getuid?.()), directory, owner);
        context.out.answer(
          { stack, stopped, dataDirectory: server.dataDirectory },
          () => `${stoppedText(stopped)}; the data is kept in ${server.dataDirectory}`,
        );
      }),
    );
}

function stoppedText(stopped: boolean): string {
  return stopped ? "stopped" : "was not running";
}
