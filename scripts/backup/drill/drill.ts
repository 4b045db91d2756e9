import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import { redact } from "../../core/redact.ts";
import type { IntegrityFinding } from "../../validate/subject.ts";
import type { Validation } from "../../validate/validate.ts";
import type { DatabaseContents } from "../restore/contents.ts";
import { type Restored, restoreBackup } from "../restore/restore.ts";
import type { StackBackups } from "../stack-backups.ts";
import { blamesBackup } from "./blame.ts";
import { type ExamineOptions, examineDatabases } from "./examine.ts";
import {
  type AppliedMigrations,
  type ComparedMigrations,
  compareMigrations,
  hasSameMigrations,
  readApplied,
  recordMigrations,
} from "./migrations.ts";
import { type ComparedObjective, compareObjectives, hasAllWritten, objectiveReasons } from "./objectives.ts";
import { type DrawnMoment, drawMoment } from "./random-moment.ts";

/** Arguments of a drill. */
export interface DrillRequest extends Pick<ExamineOptions, "checksOf"> {
  /** The current process: see `ownHolder`. */
  holder: string;
  /** True to restore a random moment of the last days. Default: everything that is archived. */
  random?: boolean | undefined;
  /** Time limit for the recovery, and for each query on the restored server, in seconds. */
  limitSeconds: number;
  signal: AbortSignal;
  onStep: (step: string) => void;
}

/** A database as the drill found it. */
export interface DrilledDatabase {
  database: string;
  /** Bytes. */
  size: number;
  tables: number;
  rows: number;
  /** Heaps and b-trees that amcheck examined. */
  amchecked: number;
  /** Check files that ran. */
  checks: number;
}

/** Result of a restore drill. */
export interface Drill {
  /**
   * `passed`: the restored copy is complete and sound. `failed`: the backup is bad, or an objective is missed. `could
   * not run`: nothing is known about the backup.
   */
  outcome: "passed" | "failed" | "could not run";
  /** Reasons of an outcome other than `passed`. */
  reasons: string[];
  hint: string | null;
  /** ISO 8601, by the clock of this machine. */
  startedAt: string;
  /** Duration of the drill. */
  seconds: number;
  /** Label of the restored backup; null if none was restored. */
  backup: string | null;
  /** Random moment that was to be restored, UTC with microseconds. null: everything that is archived. */
  moment: string | null;
  /** End of the recovery; null if there was none. */
  reached: Restored["reached"] | null;
  /** Seconds from the start of the drill to the first query on the copy; null if it did not get so far. */
  rtoSeconds: number | null;
  /** Age of the last restored commit when the drill began, in seconds; null if it is not known, or for a moment. */
  rpoSeconds: number | null;
  /** Comparison with the stack's objectives. Empty if it has none, or if nothing was restored. */
  objectives: ComparedObjective[];
  databases: DrilledDatabase[];
  findings: (IntegrityFinding & { database: string })[];
  migrations: ComparedMigrations;
  rowCounts: { compared: false; reason: string };
}

/** Nothing records the numbers of rows at a position in the WAL. */
const rowCounts = { compared: false, reason: "no row counts are recorded for the point that was restored" } as const;

/**
 * Restores everything that is archived, or a random moment, into a scratch container without a network, and proves it:
 * amcheck on all heaps and b-trees, every row of every table, the check files, the applied migrations. The copy is
 * removed. Like a restore, it makes the live server archive its WAL; nothing else of the stack is changed.
 *
 * @throws AbortError of the signal; any other failure is an outcome
 */
export async function runDrill(docker: Docker, stack: StackBackups, request: DrillRequest): Promise<Drill> {
  const { signal, onStep, limitSeconds, holder, checksOf, random = false } = request;
  const [startedAt, began] = [new Date(), performance.now()];
  const passed = () => (performance.now() - began) / 1_000;
  let rtoSeconds: number | null = null;
  let moment: DrawnMoment | undefined;
  let examined: { validations: Validation[]; applied: AppliedMigrations } | undefined;
  const nothing: Omit<Drill, "outcome" | "reasons" | "hint" | "seconds" | "rtoSeconds" | "moment"> = {
    startedAt: startedAt.toISOString(),
    backup: null,
    reached: null,
    rpoSeconds: null,
    objectives: [],
    databases: [],
    findings: [],
    migrations: { compared: false, reason: "nothing was restored" },
    rowCounts,
  };
  try {
    const before = await recordMigrations(docker, stack.server);
    if (random) {
      onStep("drawing a moment");
      moment = await drawMoment(docker, stack);
    }
    const examine = async (container: string) => {
      rtoSeconds ??= round(passed());
      const applied = await readApplied(docker, container);
      onStep("checking heaps and b-trees with amcheck");
      // The check files are of today, and fit a database with today's migrations.
      const fits = (name: string) => !random || hasSameMigrations(name, before, applied);
      const options = {
        checksOf: async (name: string) => (fits(name) ? checksOf(name) : undefined),
        ...{ statementTimeoutMs: limitSeconds * 1_000, signal },
      };
      examined = { validations: await examineDatabases(docker, container, options), applied };
    };
    const limits = { recoverySeconds: limitSeconds, signal, onStep, holder };
    const restored = await restoreBackup(docker, stack, {
      ...{ to: { kind: "scratch" }, point: moment?.point, examine, ...limits },
    });
    if (examined === undefined) throw new Error("The restored server was not examined.");
    const { validations, applied } = examined;
    const now = await recordMigrations(docker, stack.server);
    const migrations: ComparedMigrations = random
      ? { compared: false, reason: "the copy is of a random moment" }
      : compareMigrations(before, applied, now, restored.reached);
    const rpoSeconds = random ? null : ageOf(restored.reached.lastCommitAt, startedAt);
    const hasEverything = hasAllWritten(before, restored.reached);
    // What was written after the moment is not lost.
    const { rpoSeconds: _, ...withoutRpo } = stack.objectives ?? {};
    const limitsOf = random ? withoutRpo : (stack.objectives ?? {});
    const objectives = compareObjectives(limitsOf, { rtoSeconds, rpoSeconds }, hasEverything);
    const judged = judge(restored, validations, migrations);
    return {
      ...nothing,
      ...withObjectives(judged, objectiveReasons(objectives, hasEverything)),
      seconds: round(passed()),
      backup: restored.backup,
      moment: moment?.at ?? null,
      reached: restored.reached,
      rtoSeconds,
      rpoSeconds,
      objectives,
      databases: restored.databases.map((each) => describeDatabase(each, validations)),
      findings: validations.flatMap(({ database, findings }) => findings.map((each) => ({ ...each, database }))),
      migrations,
    };
  } catch (error) {
    signal.throwIfAborted();
    const outcome = blamesBackup(error) ? "failed" : "could not run";
    const reason = error instanceof Error ? error.message : String(error);
    const hint = error instanceof OperationError ? (error.hint ?? null) : null;
    const seconds = round(passed());
    return { ...nothing, moment: moment?.at ?? null, outcome, reasons: [redact(reason)], hint, seconds, rtoSeconds };
  }
}

/**
 * Judges a restored copy. It has passed only if every database was read and examined by amcheck, and nothing is wrong
 * or unknown.
 */
export function judge(
  { incompleteReason, unproven, databases }: Pick<Restored, "incompleteReason" | "unproven" | "databases">,
  validations: readonly Validation[],
  migrations: ComparedMigrations,
): Pick<Drill, "outcome" | "reasons" | "hint"> {
  const bad: string[] = [];
  const unknown: string[] = [];
  if (incompleteReason !== undefined) (blamesBackup(incompleteReason) ? bad : unknown).push(incompleteReason);
  for (const { database, findings, subjects } of validations) {
    for (const { level, detail } of findings) if (level === "error") bad.push(`${database}: ${detail}`);
    for (const subject of subjects) unknown.push(...subject.unknown.map((reason) => `${database}: ${reason}`));
    const amcheck = subjects.find(({ name }) => name === "amcheck");
    if (amcheck === undefined || amcheck.state === "not available")
      unknown.push(`${database}: amcheck is not available: ${amcheck?.note ?? "it was not run"}`);
  }
  if (migrations.compared && migrations.missing.length > 0)
    bad.push(`applied migrations are missing from the copy: ${migrations.missing.join(", ")}`);
  // If a finding explains it, the reading of rows has failed because of the same damage.
  const isExplained = (database: string) => bad.some((reason) => reason.startsWith(`${database}: `));
  for (const { database, reason } of unproven) if (!isExplained(database)) unknown.push(`${database}: ${reason}`);
  for (const { database } of databases)
    if (!validations.some((each) => each.database === database)) unknown.push(`${database}: it was not examined`);
  if (validations.length === 0) unknown.push("the copy has no database");
  if (bad.length > 0) return { outcome: "failed", reasons: [...bad, ...unknown], hint };
  return unknown.length > 0
    ? { outcome: "could not run", reasons: unknown, hint: null }
    : { outcome: "passed", reasons: [], hint: null };
}

/** Adds missed objectives to a judged copy. A copy that is not known to be sound stays so. */
export function withObjectives(
  { outcome, reasons, hint: given }: Pick<Drill, "outcome" | "reasons" | "hint">,
  { missed, unknown }: { missed: readonly string[]; unknown: readonly string[] },
): Pick<Drill, "outcome" | "reasons" | "hint"> {
  const all = [...reasons, ...missed, ...unknown];
  if (outcome === "failed") return { outcome, reasons: all, hint: given };
  if (missed.length > 0)
    return { outcome: "failed", reasons: [...missed, ...reasons, ...unknown], hint: objectiveHint };
  return { outcome: unknown.length > 0 ? "could not run" : outcome, reasons: all, hint: given };
}

const objectiveHint =
  "The backup can be restored, but not as fast or as complete as pgroundwork:backups objectives demand. For a shorter RTO, make full backups more often or use a faster machine. For a shorter RPO, see why WAL is archived late: npm run pgw -- backup list";

const hint =
  "Do not rely on this backup. `npm run pgw -- backup list` scans the repository. If the live server is sound (npm run db:validate), make a full backup: npm run pgw -- backup create --type full";

function describeDatabase(
  { database, size, tables }: DatabaseContents,
  validations: readonly Validation[],
): DrilledDatabase {
  const subjects = validations.find((each) => each.database === database)?.subjects ?? [];
  const examined = (name: string) => subjects.find((each) => each.name === name)?.examined ?? 0;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return { database, size, tables: tables.length, rows, amchecked: examined("amcheck"), checks: examined("checks") };
}

function ageOf(commit: string | null, now: Date): number | null {
  return commit === null ? null : round(Math.max(0, (now.getTime() - Date.parse(commit)) / 1_000));
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
