import type { Exception, Finding } from "../../lint/finding.ts";
import { lintPending } from "../../lint/pending.ts";
import { withClient } from "../../target/client.ts";
import { type CommittedMigration, readCommitted } from "../committed.ts";
import { requireRunnable } from "../run-migration.ts";
import { upTo, withoutAllowed } from "../selection.ts";
import type { MigrationProblem } from "../status.ts";
import { requireKnown, statusOf } from "../verify.ts";
import type { StatementEffects } from "./effects.ts";
import { type LiveTable, readLiveTables } from "./live-tables.ts";
import { type Phase, phaseWarnings, phaseWord, readPhase } from "./phase.ts";
import { statementsOf } from "./statements.ts";
import { type PlanFailure, type TrialOptions, tryFiles } from "./try-files.ts";

export interface PlannedStatement {
  /** Where it begins and ends in the file, from 1. */
  line: number;
  lastLine: number;
  /** What it begins with, in one line of at most 120 characters. */
  title: string;
  /** null: it did not run, since it or one before it failed. */
  effects: StatementEffects | null;
  /** What the linter says of it. */
  findings: Finding[];
}

export interface PlannedFile {
  filename: string;
  message: string | null;
  phase: Phase | null;
  /** False: outside a transaction. */
  transactional: boolean;
  statements: PlannedStatement[];
}

export interface MigrationPlan {
  /** What does not fit what is applied; nothing is tried then. */
  problems: MigrationProblem[];
  /** In the order in which they would run. */
  files: PlannedFile[];
  /** The tables that the files touch, as they are in the live database, by name with schema. */
  tables: Record<string, LiveTable>;
  warnings: string[];
  /** Findings that comments in the files accept. */
  exceptions: Exception[];
  /** null: every file ran through. */
  failure: PlanFailure | null;
}

export interface PlanOptions extends TrialOptions {
  /** The last file, by number or name; all when absent. */
  to?: string | undefined;
  /** Names of files whose problem is accepted. */
  allow?: readonly string[] | undefined;
}

/**
 * What `up` would do: every pending file is run in a scratch database that was brought to where the live one is, and what each statement locked, rewrote and
 * scanned there is told beside how large those tables are in the live one, of which nothing is changed. The scratch database has no rows but those that
 * migrations put in: a file that fails because of rows succeeds there.
 *
 * @throws OperationError where the status cannot be told, or no scratch database can be made; SqlFileError where an applied file does not run there
 */
export async function planMigrations(options: PlanOptions): Promise<MigrationPlan> {
  const { connection } = options;
  const all = await readCommitted(options.folder);
  const { problems, applied, pending } = await selectFiles(all, options);
  const files = pending.map(plannedFile);
  const warnings = [...pending.flatMap(unknownPhase), ...phaseWarnings(files)];
  const plan = { problems, files, tables: {}, warnings, exceptions: [], failure: null };
  if (problems.length > 0 || pending.length === 0) return plan;
  requireRunnable(pending);
  const { effects, failure, warnings: unseen } = await tryFiles(applied, pending, options);
  for (const [index, file] of files.entries()) placeEffects(file, effects[index] ?? []);
  const names = [...new Set(effects.flat().flatMap(touched))].sort();
  return withClient(
    connection,
    async (client) => {
      const { findings, exceptions } = await lintPending(client, pending);
      for (const finding of findings) placeFinding(files, finding);
      const tables = Object.fromEntries(await readLiveTables(client, names));
      return { ...plan, tables, warnings: [...warnings, ...unseen], exceptions, failure };
    },
    "pgroundwork plan",
  );
}

async function selectFiles(all: readonly CommittedMigration[], { connection, to, allow = [] }: PlanOptions) {
  const status = await withClient(connection, (client) => statusOf(client, all), "pgroundwork plan");
  requireKnown(status, connection);
  const { pending, problems } = withoutAllowed(status, allow, all);
  const [wanted, done] = [new Set(pending), new Set(status.applied.map(({ filename }) => filename))];
  return {
    problems,
    applied: all.filter(({ filename }) => done.has(filename)),
    pending: upTo(
      all.filter(({ filename }) => wanted.has(filename)),
      all,
      to,
    ),
  };
}

function plannedFile(file: CommittedMigration): PlannedFile {
  return {
    filename: file.filename,
    message: file.message ?? null,
    phase: readPhase(file.text.slice(file.bodyStart)),
    transactional: file.transactional,
    statements: statementsOf(file).map(({ line, lastLine, title }) => {
      return { line, lastLine, title, effects: null, findings: [] };
    }),
  };
}

/** A phase that is misspelt would go unseen. */
function unknownPhase({ filename, text, bodyStart }: CommittedMigration): string[] {
  const body = text.slice(bodyStart);
  const word = phaseWord(body);
  if (word === null || readPhase(body) !== null) return [];
  return [`${filename} has the phase "${word}", which there is not: expand or contract.`];
}

function placeEffects({ statements }: PlannedFile, effects: readonly StatementEffects[]): void {
  for (const [index, statement] of statements.entries()) statement.effects = effects[index] ?? null;
}

/** Beside its statement; what stands before one (a comment) belongs to it. */
function placeFinding(files: readonly PlannedFile[], finding: Finding): void {
  const statements = files.find(({ filename }) => filename === finding.file)?.statements ?? [];
  const statement = statements.find(({ lastLine }) => finding.line <= lastLine) ?? statements.at(-1);
  statement?.findings.push(finding);
}

function touched({ locks, rewritten, scanned, emptied, dropped }: StatementEffects): string[] {
  return [...locks.map(({ relation }) => relation), ...rewritten, ...scanned, ...emptied, ...dropped];
}
