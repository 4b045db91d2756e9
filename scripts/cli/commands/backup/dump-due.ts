import { type DueResult, makeDueDumps } from "../../../backup/dump/make-due.ts";
import { nameOfPlanned, plannedDumps } from "../../../backup/dump/planned.ts";
import { readRecipients } from "../../../backup/dump/settings.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { DumpPlan } from "../../../model/dump-plan.ts";
import type { StackOutputs } from "../../../model/stack-outputs.ts";
import type { CommandContext } from "../../context.ts";
import { dumpSettings, dumpTargetOf, restoreCommand } from "../../dump-target.ts";
import { outputsOf } from "../../stack.ts";
import { showStep } from "../../step.ts";
import { resolveTarget } from "../../target.ts";
import { describeDumps } from "./dump-text.ts";

/** Makes the dumps of a stack that are due by its plan, and prints them, or when the next one is due. */
export async function dumpIfDue(context: CommandContext, stack: string): Promise<undefined> {
  const { server, databases } = await outputsOf(context, stack, false);
  const plan = planOf(server, stack);
  const { folder, retentionDays, compressed } = dumpSettings(context);
  const recipients = plan.recipients.length > 0 ? plan.recipients : readRecipients(context.env);
  const result = await makeDueDumps({
    ...{ folder, source: stack, planned: plannedDumps(plan, Object.keys(databases)), retentionDays },
    ...{ compressed, recipients, env: context.env, signal: context.signal },
    onStep: (step) => showStep(context.out, step),
    onMade: ({ id }) => context.out.note(`made ${id}`),
    targetOf: async (database) => {
      const options = { stack, database };
      const target = dumpTargetOf(context, await resolveTarget(context, options, "superuser"), options);
      return { source: target.source, restoreCommand: (id) => restoreCommand(context, target, id) };
    },
  });
  context.out.answer({ stack, folder, ...answerOf(result) }, () => describe(result, stack, folder));
  return undefined;
}

/** @throws OperationError (wrong usage) if the stack has no plan, or if its backup container makes the dumps */
function planOf(server: StackOutputs["server"], stack: string): DumpPlan {
  if (server.dumps !== undefined) return server.dumps;
  if (server.backups?.dumps !== undefined)
    throw new OperationError(`The container ${server.backups.container} makes the dumps of stack "${stack}" itself.`, {
      hint: "`npm run pgw -- dumps list --scheduled` shows them. `backup dump` makes one now.",
      exitCode: exitCode.usage,
    });
  const settings = server.kind === "docker" ? "backups: {dumps: true}" : "dumps: true to pgroundwork:backups";
  throw new OperationError(`No dumps are planned for stack "${stack}".`, {
    hint: `Add ${settings} in Pulumi.${stack}.yaml, and run \`up\`.`,
    exitCode: exitCode.usage,
  });
}

function answerOf(result: DueResult) {
  switch (result.outcome) {
    case "made":
      return { due: true, dumps: result.dumps, removed: result.removed };
    case "busy":
      return { due: true, busy: true };
    case "not due":
      return { due: false, next: firstOf(result.later), later: result.later };
  }
}

function describe(result: DueResult, stack: string, folder: string): string {
  switch (result.outcome) {
    case "made":
      return describeDumps(result, folder);
    case "busy":
      return `Another process makes the dumps of stack "${stack}" now.`;
    case "not due":
      return [
        `Nothing is due before ${firstOf(result.later) ?? "the stack has databases"}.`,
        ...result.later.map((each) => `  ${nameOfPlanned(each)}: ${each.newest}, next ${each.next}`),
      ].join("\n");
  }
}

function firstOf(later: readonly { next: string }[]): string | null {
  return later.map(({ next }) => next).toSorted()[0] ?? null;
}
