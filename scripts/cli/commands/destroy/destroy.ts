import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { upCommand } from "../../../model/command-lines.ts";
import type { Survey } from "../../../stack/erase/survey.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, stackOption } from "../../options.ts";
import { refuseInCopy } from "../../refuse-in-copy.ts";
import { stackWithEngine } from "../../stack.ts";

interface DestroyOptions {
  stack?: string;
  erase?: string[];
  yes?: boolean;
}

export function registerDestroy(program: Command): void {
  program
    .command("destroy")
    .description("delete the stack's resources but keep its data, which `up` adopts again; only --erase deletes data")
    .addOption(stackOption())
    .option(
      "--erase <name>",
      "permanently delete a database; with the name of the stack, delete everything in it; repeatable",
      (name: string, names: string[] | undefined) => [...(names ?? []), name],
    )
    .option("-y, --yes", "skip the confirmation; open connections to erased databases are terminated")
    .addOption(jsonOption())
    .action(action<DestroyOptions, []>(destroy));
}

async function destroy(
  context: CommandContext,
  { stack: name = localStack, erase = [], yes = false }: DestroyOptions,
): Promise<undefined> {
  const { surveyStack } = await import("../../../stack/erase/survey.ts");
  const { dataOf } = await import("../../../stack/erase/data-of.ts");
  const { dataHome } = await import("../../../server/locations.ts");
  await refuseInCopy(context, name);
  const home = dataHome(context.env, process.getuid?.());
  const stack = await stackWithEngine(context, name);
  const look = async () => {
    const survey = await surveyStack(stack, home);
    refuseProtected(survey, name, erase.length > 0);
    return { survey, data: dataOf(stack, home, survey) };
  };
  const destruction = { context, stack, ...(await look()), lookAgain: look, yes };
  if (erase.length === 0) {
    const { takeDown } = await import("./take-down.ts");
    await takeDown(destruction);
  } else {
    const { eraseNamed } = await import("./erase.ts");
    await eraseNamed(destruction, erase);
  }
}

function refuseProtected({ content, settings }: Survey, stack: string, erasing: boolean): void {
  if (!content.protected && !settings.protected) return;
  const up = content.resources > 0 ? ` and run \`${upCommand(stack)}\`` : "";
  throw new OperationError(`Stack "${stack}" is protected and cannot be ${erasing ? "erased" : "destroyed"}.`, {
    hint: `To allow it, set pgroundwork:protected to false in Pulumi.${stack}.yaml${up}. Then run this command again.`,
    exitCode: exitCode.notAllowed,
  });
}
