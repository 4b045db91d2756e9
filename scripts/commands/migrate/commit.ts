import type { Command } from "commander";
import { exitCode } from "../../errors/operation-error.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type TargetOptions } from "../cli/target.ts";
import { requireUnprotected } from "./unprotected.ts";
import { showMigrationEvent } from "./up.ts";
import { migrateVerb } from "./verb.ts";

interface CommitOptions extends TargetOptions {
  message?: string;
  irreversible?: string;
}

export function registerMigrateCommit(migrate: Command): void {
  migrateVerb(migrate, "commit", "make current.sql a committed migration, tried with its way back, and apply it")
    .option("-m, --message <message>", "what it does (default: the one in current.sql)")
    .option("--irreversible <reason>", "say why it has no way back")
    .action(action<CommitOptions, []>(commit));
}

async function commit(run: Run, options: CommitOptions) {
  const { commitMigration } = await import("../../migrate/authoring/commit.ts");
  const target = await resolveTarget(run, options);
  requireUnprotected(target, "Migrations are written");
  const { connection, admin, folder, label } = target;
  const { message, irreversible } = options;
  const { filename, applied, resumed } = await commitMigration({
    connection,
    admin,
    folder,
    message,
    irreversible,
    onEvent: (event) => showMigrationEvent(run, event),
    signal: run.signal,
    runId: run.runId,
  });
  run.out.answer({ filename, applied, resumed }, () =>
    [
      resumed ? `committed/${filename} was committed by a run that did not end` : `committed/${filename} is committed`,
      `${label}: ${applied.length} applied`,
    ].join("\n"),
  );
  return exitCode.done;
}
