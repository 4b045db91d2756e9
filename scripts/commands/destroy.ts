import type { Command } from "commander";
import type { Survey } from "../erase/survey.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { localStack } from "../stack/stacks.ts";
import { readyEngine } from "./cli/engine.ts";
import { jsonOption, stackOption } from "./cli/options.ts";
import { action, type Run } from "./cli/run.ts";
import { settingsFile, upCommand } from "./destroy/texts.ts";

interface DestroyOptions {
  stack?: string;
  erase?: string[];
  yes?: boolean;
}

export function registerDestroy(program: Command): void {
  program
    .command("destroy")
    .description("take the stack down and keep its data, which `up` takes back; only --erase loses data")
    .addOption(stackOption())
    .option(
      "--erase <name>",
      "lose for good: a database, by its name, or with the stack's own name everything of it; repeatable",
      (name: string, names: string[] | undefined) => [...(names ?? []), name],
    )
    .option("-y, --yes", "do not ask; open connections to what is erased are ended")
    .addOption(jsonOption())
    .action(action<DestroyOptions, []>(destroy));
}

async function destroy(run: Run, { stack = localStack, erase = [], yes = false }: DestroyOptions): Promise<undefined> {
  const { surveyStack } = await import("../erase/survey.ts");
  const { dataOf } = await import("../erase/data-of.ts");
  const { dataHome } = await import("../server/locations.ts");
  const home = dataHome(run.env, process.getuid?.());
  const access = { engine: await readyEngine(run, { stack }), root: run.root, stack };
  const survey = await surveyStack(access, home);
  refuseProtected(survey, stack, erase.length > 0);
  const destruction = { run, access, survey, data: dataOf(access, home, survey), yes };
  if (erase.length === 0) {
    const { takeDown } = await import("./destroy/take-down.ts");
    await takeDown(destruction);
  } else {
    const { eraseNamed } = await import("./destroy/erase.ts");
    await eraseNamed(destruction, erase);
  }
}

function refuseProtected({ content, settings }: Survey, stack: string, erasing: boolean): void {
  if (!content.protected && !settings.protected) return;
  const up = content.resources > 0 ? ` and run \`${upCommand(stack)}\`` : "";
  throw new OperationError(`Stack "${stack}" is protected: nothing of it is ${erasing ? "erased" : "taken down"}.`, {
    remedy: `If that is really meant, set pgroundwork:protected to false in ${settingsFile(stack)}${up}, then again.`,
    exitCode: exitCode.notAllowed,
  });
}
