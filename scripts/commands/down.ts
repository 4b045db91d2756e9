import type { Command } from "commander";
import { localStack } from "../stack/stacks.ts";
import { readyEngine } from "./cli/engine.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { action } from "./cli/run.ts";

export function registerDown(program: Command): void {
  program
    .command("down")
    .description("stop the stack's server and keep everything; `up` starts it again")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string }, []>(async (run, { stack = localStack }) => {
        const { readOutputs } = await import("../stack/outputs.ts");
        const { server } = await readOutputs(await readyEngine(run, { quiet: true }), run.root, stack, false);
        const { stopServer } = await import("../server/embedded.ts");
        const { dataHome } = await import("../server/locations.ts");
        const { projectName } = await import("../stack/project.ts");
        const directory = { data: server.dataDirectory, log: server.logDirectory };
        const owner = { clone: run.root, project: await projectName(run.root), stack };
        const stopped = await stopServer(dataHome(run.env, process.getuid?.()), directory, owner);
        run.out.answer(
          { stack, stopped, dataDirectory: server.dataDirectory },
          () => `${stopped ? "stopped" : "was not running"}; the data is kept in ${server.dataDirectory}`,
        );
      }),
    );
}
