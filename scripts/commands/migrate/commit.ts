import type { Command } from "commander";
import { exitCode } from "../../errors/operation-error.ts";
import type { Finding } from "../../lint/finding.ts";
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
  const findings = await tellFindings(run, folder, filename);
  run.out.answer({ filename, applied, resumed, findings }, () =>
    [
      resumed ? `committed/${filename} was committed by a run that did not end` : `committed/${filename} is committed`,
      `${label}: ${applied.length} applied`,
    ].join("\n"),
  );
  return exitCode.done;
}

/** Said as long as the file can still be taken back: once others have applied it, not even an exception can be written into it. */
async function tellFindings(run: Run, folder: string, filename: string): Promise<Finding[]> {
  const { lintOne } = await import("../../lint/committed.ts");
  const { describeFindings } = await import("../../lint/finding.ts");
  const { findings } = await lintOne(folder, filename);
  for (const line of describeFindings(findings)) run.out.note(line);
  if (findings.some(({ level }) => level === "error"))
    run.out.note("Protected stacks refuse it like that. To change it: `migrate uncommit`.");
  return findings;
}
