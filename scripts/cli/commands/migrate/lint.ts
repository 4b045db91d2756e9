import { join } from "node:path";
import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { databaseFolder, listDatabases, readDatabaseFile } from "../../../databases/database-file.ts";
import type { DraftReport } from "../../../migrate/lint/draft.ts";
import type { LintReport } from "../../../migrate/lint/lint.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { resolveTargets, type TargetOptions } from "../../target.ts";
import { lineToType } from "../../typed-line.ts";

interface LintOptions extends TargetOptions {
  all?: boolean;
  since?: string;
}

/** Lint report of one folder. */
interface LintedDatabase extends LintReport {
  database: string;
  /** Number of committed files that were checked. */
  files: number;
  /** null if there is no draft. */
  draft: DraftReport | null;
}

export function registerMigrateLint(migrate: Command): void {
  databaseVerb(
    migrate,
    "lint",
    "check pending migrations for locks, rewrites and changes that break applications (exit code 5 on errors); also " +
      "checks the draft in current.sql, which does not change the exit code",
  )
    .option("--all", "check every committed file, without a database; in all folders unless --database names one")
    .option("--since <migration>", "check the files after this migration, without a database (for CI)")
    .action(action<LintOptions, []>(lint));
}

async function lint(context: CommandContext, options: LintOptions) {
  const reports =
    options.all === true || options.since !== undefined
      ? await ofFiles(context, options)
      : await ofTargets(context, options);
  const errors = reports.flatMap(({ findings }) => findings).filter(({ level }) => level === "error").length;
  const { describeFindings } = await import("../../../migrate/lint/finding.ts");
  context.out.answer({ databases: reports }, () =>
    reports
      .flatMap(({ database, files, findings, exceptions, draft }) => [
        ...describeFindings(findings),
        `${database}: ${files} checked, ${findings.length} found, ${exceptions.length} accepted with a reason`,
        ...(draft === null ? [] : [...describeFindings(draft.findings), describeDraft(database, draft)]),
      ])
      .join("\n"),
  );
  return errors > 0 ? exitCode.wrong : exitCode.done;
}

function describeDraft(database: string, { filename, unreadable, findings, exceptions }: DraftReport): string {
  if (unreadable !== null)
    return `${database}: ${filename} cannot be read as a draft, and was not checked: ${unreadable}`;
  return `${database}: draft ${filename}: ${findings.length} found, ${exceptions.length} accepted with a reason`;
}

async function ofTargets(context: CommandContext, options: LintOptions): Promise<LintedDatabase[]> {
  const { lintDraft } = await import("../../../migrate/lint/draft.ts");
  const { lintTarget } = await import("../../../migrate/lint/pending.ts");
  const reports: LintedDatabase[] = [];
  for (const { connection, folder, database } of await resolveTargets(context, options))
    reports.push({
      ...{ database, ...(await lintTarget(connection, folder)) },
      draft: await lintDraft(folder, connection),
    });
  return reports;
}

async function ofFiles(context: CommandContext, options: LintOptions): Promise<LintedDatabase[]> {
  if (options.all === true && options.since !== undefined) throw usage("--all and --since exclude each other.");
  if (options.url !== undefined || options.stack !== undefined)
    throw usage("--all and --since check files, and cannot be combined with --url or --stack.");
  const { lintCommitted } = await import("../../../migrate/lint/committed.ts");
  const { lintDraft } = await import("../../../migrate/lint/draft.ts");
  const migrations = join(context.root, "migrations");
  const names = await named(migrations, options.database);
  if (options.since !== undefined && names.length > 1)
    throw usage(
      [
        `--since applies to one folder, but there are several: ${names.join(", ")}. Name one with --database:`,
        ...names.map((name) => `    ${lineToType(["--database", name])}`),
      ].join("\n"),
    );
  const reports: LintedDatabase[] = [];
  for (const database of names) {
    const folder = databaseFolder(migrations, database);
    reports.push({
      ...{ database, ...(await lintCommitted(folder, options.since)) },
      draft: await lintDraft(folder),
    });
  }
  return reports;
}

async function named(migrations: string, database: string | undefined): Promise<string[]> {
  if (database === undefined) return listDatabases(migrations);
  // Fails with the list of databases if the name is none of them.
  await readDatabaseFile(migrations, database);
  return [database];
}

function usage(message: string): OperationError {
  return new OperationError(message, { exitCode: exitCode.usage });
}
