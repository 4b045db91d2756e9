import type { Command } from "commander";
import { localStack } from "../stack/stacks.ts";
import { describeChanges } from "./cli/changes.ts";
import { readyEngine } from "./cli/engine.ts";
import { operate } from "./cli/operate.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { action, type Run } from "./cli/run.ts";

export function registerRefresh(program: Command): void {
  program
    .command("refresh")
    .description("compare the state with what is really there, and take over what was changed by hand; `up` mends it")
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string }, []>(async (run, { stack = localStack }) => {
        await writeAuthorities(run, stack);
        const { changes, unchanged } = await operate(run, "refresh", stack);
        run.out.answer({ stack, changes, unchanged }, () => describeChanges("refresh", { changes, unchanged }));
      }),
    );
}

/**
 * The postgresql provider reads the authorities that it trusts from a file of the clone. `up` and `preview` write it by the program, which a refresh does not run: in
 * another clone it may be missing, or older than the server's certificate.
 */
async function writeAuthorities(run: Run, stack: string): Promise<void> {
  const { declaredSettings } = await import("../stack/declared-settings.ts");
  const { docker } = await declaredSettings(run.root, stack);
  if (docker === undefined) return;
  const { readOutputs } = await import("../stack/outputs.ts");
  const engine = await readyEngine(run, { quiet: true });
  // Where there are no outputs yet there is no server; what else is wrong the refresh will say.
  await readOutputs(engine, run.root, stack, false).catch(() => undefined);
}
