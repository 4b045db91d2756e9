import { join } from "node:path";
import type { Command } from "commander";
import { databaseFolder } from "../../databases/database-file.ts";
import type { DraftSummary } from "../../migrate/authoring/draft-file.ts";
import type { StackDrills } from "../../stack/drill-gate.ts";
import type { Stack } from "../../stack/stack.ts";
import { localStack } from "../../stack/stacks.ts";
import { describeChanges } from "../changes.ts";
import { action, type CommandContext } from "../context.ts";
import { operateStack } from "../operation.ts";
import { allChangesOption, jsonOption, stackOption } from "../options.ts";

export function registerPreview(program: Command): void {
  program
    .command("preview")
    .description("show what `up` would do, with pending migrations and seeds by name")
    .addOption(stackOption())
    .addOption(allChangesOption())
    .addOption(jsonOption())
    .action(
      action<{ stack?: string; all?: boolean }, []>(async (context, { stack = localStack, all = false }) => {
        let drills: StackDrills | undefined;
        let dumps: string | undefined;
        const { dumpWarning } = await import("../../stack/dump-state.ts");
        const { drillWarning, readStackDrills } = await import("../../stack/drill-gate.ts");
        const before = async (opened: Stack) => {
          drills = await readStackDrills(opened, new Date());
          dumps = await dumpWarning(opened, context.env, new Date());
        };
        const { changes, unchanged } = await operateStack(context, "preview", stack, { before });
        for (const warning of [drills && drillWarning(drills, stack), dumps])
          if (warning !== undefined) context.out.warn(warning);
        const drafts = await draftsOf(context, stack);
        const { describeDraft } = await import("../../migrate/authoring/draft-file.ts");
        context.out.answer({ stack, changes, unchanged, drafts }, () =>
          [
            describeChanges("preview", { changes, unchanged }, all),
            ...drafts.map(({ database, ...draft }) => `${database}: ${describeDraft(draft)}`),
          ].join("\n"),
        );
      }),
    );
}

/** Returns the drafts in the folders of the stack's databases. `up` does not apply them. */
async function draftsOf({ root }: CommandContext, stack: string): Promise<({ database: string } & DraftSummary)[]> {
  const { readDraftSummary } = await import("../../migrate/authoring/draft-file.ts");
  const { declaredSettings } = await import("../../stack/declared-settings.ts");
  const { databases } = await declaredSettings(root, stack);
  const drafts = databases.map(async (database) => {
    const draft = await readDraftSummary(databaseFolder(join(root, "migrations"), database));
    return draft === null ? [] : [{ database, ...draft }];
  });
  return (await Promise.all(drafts)).flat();
}
