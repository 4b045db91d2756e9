import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { type Target, type TargetOptions, targetToChange } from "../../target.ts";
import { confirmRevert } from "./confirm-revert.ts";
import { renewConnections } from "./pooled-connections.ts";
import { requireUnprotected } from "./unprotected.ts";

interface UncommitOptions extends TargetOptions {
  yes?: boolean;
}

export function registerMigrateUncommit(migrate: Command): void {
  databaseVerb(
    migrate,
    "uncommit",
    "revert the newest committed migration and make it current.sql again; only if no other database has applied it",
  )
    .option("-y, --yes", "skip the confirmation, which is needed only if rows may be lost")
    .action(action<UncommitOptions, []>(uncommit));
}

async function uncommit(context: CommandContext, options: UncommitOptions) {
  const { uncommitMigration } = await import("../../../migrate/authoring/uncommit.ts");
  const target = await targetToChange(context, options);
  requireUnprotected(target, "Write migrations");
  const { connection, folder, label } = target;
  if (options.yes !== true) await confirm(context, target);
  const { filename, reverted } = await uncommitMigration({
    connection,
    folder,
    signal: context.signal,
    runId: context.runId,
  });
  if (reverted) await renewConnections(context, target, options);
  context.out.answer({ filename, reverted }, () =>
    [
      `${filename} is current.sql again`,
      reverted ? `${label}: reverted` : `${label}: it was not applied there`,
      "Other databases that have it no longer match the files.",
    ].join("\n"),
  );
  return exitCode.done;
}

/** Asks for a confirmation if the newest committed migration is applied, and reverting it may lose rows. */
async function confirm(context: CommandContext, target: Target): Promise<void> {
  const { connection, folder } = target;
  const { readCommitted } = await import("../../../migrate/committed.ts");
  const { previewRevert } = await import("../../../migrate/down.ts");
  const { readKnownStatus } = await import("../../../migrate/verify.ts");
  const newest = (await readCommitted(folder)).at(-1)?.filename;
  const { applied } = await readKnownStatus(connection, folder);
  if (!applied.some(({ filename }) => filename === newest)) return;
  await confirmRevert(context, target, await previewRevert(connection, folder, { steps: 1 }), false);
}
