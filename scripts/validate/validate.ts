import type { Connection } from "../connection/connection.ts";
import { NotKnown, type Observer, withObserver } from "../connection/observer.ts";
import type { FileSource } from "../core/file-source.ts";
import { nearest } from "../core/nearest.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { type CheckFile, checksFolder, readCheckFiles } from "./check-files.ts";
import { runCheckFiles } from "./run-check-files.ts";
import { type Examined, type IntegrityFinding, nothingExamined, type Subject, type Survey } from "./subject.ts";
import { amcheck } from "./subjects/amcheck.ts";
import { checksums } from "./subjects/checksums.ts";
import { constraints } from "./subjects/constraints.ts";
import { foreignKeys } from "./subjects/foreign-keys.ts";
import { indexes } from "./subjects/indexes.ts";
import { rows } from "./subjects/rows.ts";
import { sequences } from "./subjects/sequences.ts";
import { unique } from "./subjects/unique.ts";
import { readTables } from "./tables.ts";

/** Subjects that read the catalog and the tables, in the order in which they are examined. */
const subjects: readonly Subject[] = [rows, constraints, foreignKeys, unique, sequences, indexes, amcheck, checksums];

/** Names of all subjects. `checks` are the queries of the project. */
export const subjectNames: readonly string[] = [...subjects.map(({ name }) => name), checksFolder];

/** Outcome of one subject. */
export interface SubjectOutcome {
  name: string;
  title: string;
  /** `ok` only if something was examined, nothing was found, and nothing is unknown. */
  state: "ok" | "found" | "unknown" | "not available";
  /** Number of objects that were examined. */
  examined: number;
  /** Reasons why something could not be examined, also if something else was found. */
  unknown: string[];
  /** Says why the subject is not available, or names a limit of what was examined. */
  note: string | null;
}

/** Number of rows of a table. */
export interface TableRows {
  /** Qualified and quoted. */
  table: string;
  rows: number;
}

/** Outcome of validating a database. */
export interface Validation {
  database: string;
  subjects: SubjectOutcome[];
  findings: IntegrityFinding[];
  /** Tables whose rows were counted. */
  tables: TableRows[];
}

/** Options of {@link validate}. */
export interface ValidateOptions {
  /** Login that reads the catalog and the tables. */
  connection: Connection;
  /** Login that runs the check files. Default: `connection`. */
  checkConnection?: Connection;
  /** Files of the database, with its folder `checks`. Default: no check is run. */
  folder?: FileSource | undefined;
  /** Names of the subjects to examine. Default: all. */
  only?: readonly string[] | undefined;
  /** Time limit of each query in ms. Default: 600000. */
  statementTimeoutMs?: number;
  /** Time in ms that a query waits for a lock. Default: 1000. */
  lockTimeoutMs?: number;
  /** Largest number of rows to show of a finding. Default: 5. */
  sampleLimit?: number;
  /** Checked between two queries. */
  signal?: AbortSignal | undefined;
  /** Gets the title of each subject as it begins. */
  onSubject?: (title: string) => void;
}

/** An index is what is examined, so no query may rely on one. */
const withoutIndexes = ["indexscan", "indexonlyscan", "bitmapscan"].map((name) => `set local enable_${name} = off`);

/**
 * Examines the data of a database: reads and counts all rows, compares them with the constraints, and runs the check
 * files. Changes nothing: each query is a read-only transaction with time limits.
 *
 * @throws OperationError (exit code usage) for an unknown subject or a check file that is not one query;
 * ConnectionError
 */
export async function validate(options: ValidateOptions): Promise<Validation> {
  const { connection, statementTimeoutMs = 600_000, lockTimeoutMs = 1_000, sampleLimit = 5, signal } = options;
  const selected = selectSubjects(options.only);
  // Before the server is asked: a file that is no query needs no connection.
  const runsChecks = options.only?.includes(checksFolder) ?? true;
  const files = options.folder === undefined || !runsChecks ? [] : await readCheckFiles(options.folder);
  const limits = { statementTimeoutMs, lockTimeoutMs };
  const validation: Validation = { database: connection.database, subjects: [], findings: [], tables: [] };
  const observed = { applicationName: "pgroundwork validate", ...limits, setLocal: withoutIndexes };
  const add = (name: string, title: string, result: Examined) => {
    validation.subjects.push(outcomeOf(name, title, result));
    validation.findings.push(...result.findings);
  };
  await withObserver(connection, observed, async (observer) => {
    const survey: Survey = { tables: await readTables(observer), sampleLimit, rows: new Map(), signal };
    for (const subject of selected) {
      options.onSubject?.(subject.title);
      add(subject.name, subject.title, await examine(subject, observer, survey));
    }
    validation.tables = [...survey.rows].map(([table, number]) => ({ table, rows: number }));
  });
  if (runsChecks) {
    options.onSubject?.(checksTitle);
    const login = options.checkConnection ?? connection;
    const result = await runCheckFiles(login, files, { ...limits, sampleLimit, signal });
    add(checksFolder, checksTitle, { ...result, ...withoutChecks(options.folder, files) });
  }
  return validation;
}

const checksTitle = "queries of the project run";

function withoutChecks(folder: FileSource | undefined, files: readonly CheckFile[]): { notAvailable?: string } {
  if (folder === undefined) return { notAvailable: "no folder with checks belongs to this database" };
  return files.length === 0 ? { notAvailable: `the folder ${checksFolder} has no file` } : {};
}

/**
 * Returns the subjects with these names.
 *
 * @throws OperationError (exit code usage) for an unknown one
 */
export function selectSubjects(names: readonly string[] | undefined): readonly Subject[] {
  if (names === undefined) return subjects;
  for (const name of names.filter((each) => !subjectNames.includes(each))) {
    const near = nearest(name, subjectNames);
    const hint = near === undefined ? `Subjects: ${subjectNames.join(", ")}.` : `Did you mean "${near}"?`;
    throw new OperationError(`There is no subject "${name}".`, { hint, exitCode: exitCode.usage });
  }
  return subjects.filter(({ name }) => names.includes(name));
}

async function examine(subject: Subject, observer: Observer, survey: Survey): Promise<Examined> {
  try {
    return await subject.examine(observer, survey);
  } catch (error) {
    if (error instanceof NotKnown) return { ...nothingExamined(), unknown: [error.message] };
    throw error;
  }
}

function outcomeOf(name: string, title: string, result: Examined): SubjectOutcome {
  const { examined, findings, unknown, notAvailable, note } = result;
  const isEmpty = examined === 0 && findings.length === 0 && unknown.length === 0;
  const reason = notAvailable ?? note ?? (isEmpty ? "there is nothing to examine" : null);
  return { name, title, state: stateOf(result), examined, unknown, note: reason };
}

/** Nothing examined is not "ok": a database without tables proves nothing about any. */
function stateOf({ examined, findings, unknown, notAvailable }: Examined): SubjectOutcome["state"] {
  if (findings.length > 0) return "found";
  if (unknown.length > 0) return "unknown";
  return notAvailable !== undefined || examined === 0 ? "not available" : "ok";
}
