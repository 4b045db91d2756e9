import { join } from "node:path";
import type { Command } from "commander";
import { databaseFolder, listDatabases, readDatabaseFile } from "../../database/database-file.ts";
import { exitCode, OperationError } from "../../errors/operation-error.ts";
import type { LintReport } from "../../lint/lint.ts";
import { action, type Run } from "../cli/run.ts";
import { resolveTarget, type TargetOptions } from "../cli/target.ts";
import { migrateVerb } from "./verb.ts";

interface LintOptions extends TargetOptions {
  all?: boolean;
  since?: string;
}

/** One folder's report. */
interface LintedDatabase extends LintReport {
  database: string;
  /** How many were judged. */
  files: number;
}

export function registerMigrateLint(migrate: Command): void {
  migrateVerb(
    migrate,
    "lint",
    "judge what is pending: locks, rewrites, what breaks applications (exit code 5 on errors)",
  )
    .option("--all", "judge every committed file, without a database; those of every folder where none is named")
    .option("--since <migration>", "judge what follows this one, without a database: for CI")
    .action(action<LintOptions, []>(lint));
}

async function lint(run: Run, options: LintOptions) {
  const reports =
    options.all === true || options.since !== undefined ? await ofFiles(run, options) : [await ofTarget(run, options)];
  const errors = reports.flatMap(({ findings }) => findings).filter(({ level }) => level === "error").length;
  const { describeFindings } = await import("../../lint/finding.ts");
  run.out.answer({ databases: reports }, () =>
    reports
      .flatMap(({ database, files, findings, exceptions }) => [
        ...describeFindings(findings),
        `${database}: ${files} judged, ${findings.length} found, ${exceptions.length} accepted with reason`,
      ])
      .join("\n"),
  );
  return errors > 0 ? exitCode.wrong : exitCode.done;
}

async function ofTarget(run: Run, options: LintOptions): Promise<LintedDatabase> {
  const { lintTarget } = await import("../../lint/pending.ts");
  const { connection, folder, database } = await resolveTarget(run, options);
  return { database, ...(await lintTarget(connection, folder)) };
}

async function ofFiles(run: Run, options: LintOptions): Promise<LintedDatabase[]> {
  if (options.all === true && options.since !== undefined) throw usage("--all and --since exclude each other.");
  if (options.url !== undefined || options.stack !== undefined)
    throw usage("--all and --since judge files, without the database of --url or --stack.");
  const { lintCommitted } = await import("../../lint/committed.ts");
  const migrations = join(run.root, "migrations");
  const names = await named(migrations, options.database);
  if (options.since !== undefined && names.length > 1)
    throw usage(`--since is of one folder, and there are: ${names.join(", ")}. Name it with --database.`);
  const reports: LintedDatabase[] = [];
  for (const database of names)
    reports.push({ database, ...(await lintCommitted(databaseFolder(migrations, database), options.since)) });
  return reports;
}

async function named(migrations: string, database: string | undefined): Promise<string[]> {
  if (database === undefined) return listDatabases(migrations);
  // Says which there are, where it is none of them.
  await readDatabaseFile(migrations, database);
  return [database];
}

function usage(message: string): OperationError {
  return new OperationError(message, { exitCode: exitCode.usage });
}
