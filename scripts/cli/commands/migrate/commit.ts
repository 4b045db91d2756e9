import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { LintFinding } from "../../../migrate/lint/finding.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { showStep } from "../../step.ts";
import { resolveFolder, resolveTarget, type Target, type TargetOptions, targetToChange } from "../../target.ts";
import { lineToType } from "../../typed-line.ts";
import { renewConnections } from "./pooled-connections.ts";
import { requireUnprotected } from "./unprotected.ts";
import { showMigrationEvent } from "./up.ts";

interface CommitOptions extends TargetOptions {
  message?: string;
  irreversible?: string;
  /** False for `--no-apply`. */
  apply: boolean;
}

export function registerMigrateCommit(migrate: Command): void {
  databaseVerb(
    migrate,
    "commit",
    "test current.sql with its down migration, make it a committed migration, and apply it",
  )
    .option("-m, --message <message>", "what the migration does (default: the message in current.sql)")
    .option("--irreversible <reason>", "reason why the migration has no down migration")
    .option("--no-apply", "only write the files; if the database cannot be reached, the migration is not tried")
    .action(action<CommitOptions, []>(commit));
}

async function commit(context: CommandContext, options: CommitOptions) {
  if (!options.apply) return writeOnly(context, options);
  const { commitMigration } = await import("../../../migrate/authoring/commit.ts");
  const target = await targetToChange(context, options);
  requireUnprotected(target, "Write migrations");
  const { connection, admin, docker, folder, label } = target;
  const { message, irreversible } = options;
  const { filename, applied, resumed, warnings } = await commitMigration({
    ...{ connection, admin, docker, folder },
    onProgress: (text) => showStep(context.out, text),
    message,
    irreversible,
    onEvent: (event) => showMigrationEvent(context, event),
    signal: context.signal,
    runId: context.runId,
  });
  for (const warning of warnings) context.out.warn(warning);
  if (applied.length > 0) await renewConnections(context, target, options);
  const findings = await tellFindings(context, folder, filename);
  const typesWritten = await updateTypes(context, target);
  context.out.answer({ filename, applied, resumed, warnings, findings, notTried: null }, () =>
    [
      resumed ? `committed/${filename} was committed by an interrupted run` : `committed/${filename} is committed`,
      `${label}: ${applied.length} applied`,
      ...(typesWritten ? ["types.ts is updated"] : []),
    ].join("\n"),
  );
  return exitCode.done;
}

/**
 * Writes the generated types again if the folder has them. The migration is applied, so a failure is only a warning.
 *
 * @returns true if the file changed
 */
export async function updateTypes(context: CommandContext, { connection, folder }: Target): Promise<boolean> {
  const { compareTypes, hasTypes, writeTypes } = await import("../../../types/types-file.ts");
  if (!(await hasTypes(folder))) return false;
  try {
    const { generateTypes } = await import("../../../types/generate.ts");
    const { withClient } = await import("../../../connection/client.ts");
    const types = await compareTypes(folder, await withClient(connection, generateTypes));
    if (types.state === "current") return false;
    writeTypes(types);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.out.warn(`types.ts is not updated: ${reason}. Write it with: ${lineToType(["types"])}`);
    return false;
  }
}

/** Commits without applying. A protected stack is allowed, because its database is only read. */
async function writeOnly(context: CommandContext, options: CommitOptions) {
  const { commitFile } = await import("../../../migrate/authoring/commit.ts");
  const { folder, ...place } = await placeOf(context, options);
  const { message, irreversible } = options;
  const { filename, resumed, warnings, notTried } = await commitFile({
    ...{ folder, message, irreversible, ...place },
    onProgress: (text) => context.out.note(text),
    signal: context.signal,
  });
  for (const warning of warnings) context.out.warn(warning);
  const findings = await tellFindings(context, folder, filename);
  context.out.answer({ filename, applied: [], resumed, warnings, findings, notTried }, () =>
    [
      resumed ? `committed/${filename} was committed by an interrupted run` : `committed/${filename} is committed`,
      ...(notTried === null ? [] : [`not tried: ${notTried}`]),
      "not applied: `migrate up` applies it",
    ].join("\n"),
  );
  return exitCode.done;
}

/** Finds the database to verify against. Without one, for example if the stack is not up, only its folder is needed. */
async function placeOf(context: CommandContext, options: CommitOptions) {
  try {
    const { connection, admin, docker, folder } = await resolveTarget(context, options);
    return { folder, database: connection, admin, docker };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof OperationError) || error.exitCode === exitCode.usage) throw error;
    return {
      folder: await resolveFolder(context, options.database),
      database: { reason: error.message.replace(/\.$/, "") },
    };
  }
}

/**
 * Prints the lint findings while the file can still be changed: after others have applied it, not even an exception can
 * be added to it.
 */
async function tellFindings(context: CommandContext, folder: string, filename: string): Promise<LintFinding[]> {
  const { lintOne } = await import("../../../migrate/lint/committed.ts");
  const { describeFindings } = await import("../../../migrate/lint/finding.ts");
  const { findings } = await lintOne(folder, filename);
  for (const line of describeFindings(findings)) context.out.note(line);
  if (findings.some(({ level }) => level === "error"))
    context.out.note("Protected stacks refuse this file. To change it: `migrate uncommit`.");
  return findings;
}
