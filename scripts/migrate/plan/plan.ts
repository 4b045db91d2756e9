import { withClient } from "../../connection/client.ts";
import { OperationError } from "../../core/operation-error.ts";
import { readDraftFile } from "../authoring/draft-file.ts";
import { type CommittedMigration, readCommitted } from "../committed.ts";
import type { Exception, LintFinding } from "../lint/finding.ts";
import { lintPending } from "../lint/pending.ts";
import { requireRunnable } from "../run-migration.ts";
import { type TriedOn, versionWarning } from "../schema-drift.ts";
import { upTo, withoutAllowed } from "../selection.ts";
import type { MigrationProblem } from "../status.ts";
import { requireKnown, statusOf } from "../verify.ts";
import type { StatementEffects } from "./effects.ts";
import { type LiveTable, readLiveTables } from "./live-tables.ts";
import { type Phase, phaseWarnings, phaseWord, readPhase } from "./phase.ts";
import { statementsOf } from "./statements.ts";
import { type FileTrialOptions, type PlanFailure, type TrialResult, tryFiles } from "./try-files.ts";

/** A statement of a pending file, with its effects and findings. */
export interface PlannedStatement {
  /** Its first line in the file, starting at 1. */
  line: number;
  lastLine: number;
  /** Beginning of the statement, in one line of at most 120 characters. */
  title: string;
  /** null if the statement did not run, because it or an earlier one failed. */
  effects: StatementEffects | null;
  /** Findings of the linter for this statement. */
  findings: LintFinding[];
}

/** A pending file, with the outcome of its trial. */
export interface PlannedFile {
  filename: string;
  message: string | null;
  phase: Phase | null;
  /** False if it runs outside a transaction. */
  transactional: boolean;
  statements: PlannedStatement[];
  /** Outcome of its trial in a scratch cluster. */
  trial: "passed" | "failed" | "not tried";
  /** Reason why it was not tried; null if it was. */
  notTried: string | null;
}

/** The draft in `current.sql`, which is never applied, with the outcome of its trial after the pending files. */
export interface PlannedDraft extends PlannedFile {
  /** null if neither the draft nor a hook after it failed. */
  failure: PlanFailure | null;
}

/** Result of {@link planMigrations}. */
export interface MigrationPlan {
  /** Mismatches between the files and what is applied. If there are any, nothing is tried. */
  problems: MigrationProblem[];
  /** In the order in which they would run. */
  files: PlannedFile[];
  /** null if there is no draft. */
  draft: PlannedDraft | null;
  /** The tables that the files touch, as they are in the live database, by name with schema. */
  tables: Record<string, LiveTable>;
  warnings: string[];
  /** Findings that comments in the files accept. */
  exceptions: Exception[];
  /** null if no file failed. */
  failure: PlanFailure | null;
  /** PostgreSQL versions of the trial; null if there was none. */
  triedOn: TriedOn | null;
}

/** Options of {@link planMigrations}. */
export interface PlanOptions extends FileTrialOptions {
  /** The last file, by number or name. Omit for all. */
  to?: string | undefined;
  /** Names of files whose problem is accepted. */
  allow?: readonly string[] | undefined;
}

/**
 * Plans what `up` would do. Every pending file runs in a scratch cluster that was brought to the state of the live
 * database. The plan shows what each statement locked, rewrote and scanned there, with the size of these tables in the
 * live database. The live database is only read.
 *
 * A draft in `current.sql` is tried after the pending files. It has a place of its own, because `up` never applies it.
 *
 * The scratch cluster has no rows except those that migrations insert: a file that fails because of rows succeeds
 * there. A file that cannot be tried is marked so, with the reason.
 *
 * @throws OperationError if the status cannot be read; SqlFileError if an applied file does not run in the scratch
 * cluster
 */
export async function planMigrations(options: PlanOptions): Promise<MigrationPlan> {
  const { connection } = options;
  const all = await readCommitted(options.folder);
  const { problems, applied, pending } = await selectFiles(all, options);
  const files = pending.map(plannedFile);
  const draft = await planDraft(options);
  const warnings = [...pending.flatMap(unknownPhase), ...phaseWarnings(files)];
  const planned = draft?.planned ?? null;
  const plan = { problems, files, draft: planned, tables: {}, warnings, exceptions: [], failure: null, triedOn: null };
  const drafted = draft?.runnable;
  if (problems.length > 0 || (pending.length === 0 && drafted === undefined)) return plan;
  requireRunnable(pending);
  const result = await tryWithDraft(applied, pending, drafted, options);
  const { effects, triedOn } = result;
  // A failure after the last pending file: the draft's own, or that of a hook which only the draft's trial ran.
  const ofDraft = effects.length > pending.length && (result.passed === pending.length || pending.length === 0);
  const failure = ofDraft ? null : result.failure;
  const version = triedOn === null ? undefined : versionWarning(triedOn);
  const unseen = [...result.warnings, ...(version === undefined ? [] : [version])];
  for (const [index, file] of files.entries()) placeOutcome(file, index, result);
  for (const [index, file] of files.entries()) placeEffects(file, effects[index] ?? []);
  if (planned !== null && drafted !== undefined) {
    placeOutcome(planned, files.length, result);
    placeEffects(planned, effects[files.length] ?? []);
    planned.failure = ofDraft ? result.failure : null;
  }
  const names = [...new Set(effects.flat().flatMap(touched))].sort();
  return withClient(
    connection,
    async (client) => {
      const { findings, exceptions } = await lintPending(
        client,
        drafted === undefined ? pending : [...pending, drafted],
      );
      const places = planned === null ? files : [...files, planned];
      for (const finding of findings) placeFinding(places, finding);
      const tables = Object.fromEntries(await readLiveTables(client, names));
      return { ...plan, tables, warnings: [...warnings, ...unseen], exceptions, failure, triedOn };
    },
    "pgroundwork plan",
  );
}

/** The planned draft, and the file to try; undefined if it cannot be tried. */
interface DraftPlan {
  planned: PlannedDraft;
  runnable: CommittedMigration | undefined;
}

/** Plans the draft of the folder. An error in it must not hide the plan of the committed files. */
async function planDraft({ folder, to }: PlanOptions): Promise<DraftPlan | undefined> {
  const draft = await readDraftFile(folder);
  if (draft === undefined) return undefined;
  const { filename, migration, unreadable } = draft;
  const unread = {
    filename,
    message: null,
    phase: null,
    transactional: true,
    statements: [],
    trial: "not tried" as const,
  };
  if (migration === null) return { planned: { ...unread, notTried: unreadable, failure: null }, runnable: undefined };
  const planned = { ...plannedFile(migration), failure: null };
  const refused = to === undefined ? runFault(migration) : "--to names the last file to plan";
  if (refused !== undefined) return { planned: { ...planned, notTried: refused }, runnable: undefined };
  return { planned, runnable: migration };
}

function runFault(migration: CommittedMigration): string | undefined {
  try {
    requireRunnable([migration]);
    return undefined;
  } catch (error) {
    if (error instanceof OperationError) return error.message;
    throw error;
  }
}

/**
 * Tries the pending files, and the draft after them. If the draft needs what no scratch cluster has, the pending files
 * are tried without it.
 */
async function tryWithDraft(
  applied: readonly CommittedMigration[],
  pending: readonly CommittedMigration[],
  draft: CommittedMigration | undefined,
  options: PlanOptions,
): Promise<TrialResult> {
  const result = await tryFiles(applied, draft === undefined ? pending : [...pending, draft], options);
  const isDoubtful = result.notTried !== null && pending.length > 0 && result.passed < pending.length;
  if (draft === undefined || !isDoubtful) return result;
  const alone = await tryFiles(applied, pending, options);
  return alone.failure === null ? { ...alone, notTried: alone.notTried ?? result.notTried } : alone;
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
    trial: "not tried",
    notTried: "see the problems of the files",
  };
}

/**
 * Sets the outcome of a file's trial. Files run one after the other: if one failed or could not be tried, the files
 * after it were not tried either.
 */
function placeOutcome(file: PlannedFile, index: number, { passed, failure, notTried }: TrialResult): void {
  if (index < passed) {
    file.trial = "passed";
    file.notTried = null;
  } else if (index === passed && notTried === null) {
    file.trial = "failed";
    file.notTried = null;
  } else file.notTried = notTried ?? `${failure?.filename ?? "a hook"} fails before it`;
}

/** Warns of a misspelt phase, which would otherwise go unnoticed. */
function unknownPhase({ filename, text, bodyStart }: CommittedMigration): string[] {
  const body = text.slice(bodyStart);
  const word = phaseWord(body);
  if (word === null || readPhase(body) !== null) return [];
  return [`${filename} has the unknown phase "${word}". Phases are expand and contract.`];
}

function placeEffects({ statements }: PlannedFile, effects: readonly StatementEffects[]): void {
  for (const [index, statement] of statements.entries()) statement.effects = effects[index] ?? null;
}

/** Adds a finding to its statement. A comment before a statement belongs to that statement. */
function placeFinding(files: readonly PlannedFile[], finding: LintFinding): void {
  const statements = files.find(({ filename }) => filename === finding.file)?.statements ?? [];
  const statement = statements.find(({ lastLine }) => finding.line <= lastLine) ?? statements.at(-1);
  statement?.findings.push(finding);
}

function touched({ locks, rewritten, scanned, emptied, dropped }: StatementEffects): string[] {
  return [...locks.map(({ relation }) => relation), ...rewritten, ...scanned, ...emptied, ...dropped];
}
