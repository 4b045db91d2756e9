import type { Connection } from "../connection/connection.ts";
import { NotKnown, type Observer, withObserver } from "../connection/observer.ts";
import type { Finding } from "../core/finding.ts";
import { nearest } from "../core/nearest.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { checks as allChecks } from "./all-checks.ts";
import type { Answer, Check, Problem, Records } from "./check.ts";
import type { Fix } from "./fix.ts";
import { defaultThresholds, type Thresholds } from "./thresholds.ts";

/** A problem that doctor found. */
export interface DoctorFinding extends Finding {
  /** Identifies the finding in a baseline, also after a restore: check, database and object. */
  key: string;
  /** null if the problem is the server's. */
  database: string | null;
  /** null if no statement removes the problem. */
  fix: Fix | null;
}

/** Outcome of a check in a database. */
export interface CheckOutcome {
  check: string;
  title: string;
  database: string | null;
  /** `clear` only if everything could be checked. */
  state: "clear" | "found" | "unknown";
  /** Reasons why something could not be checked, also if something else was found. */
  unknown: string[];
}

/** Outcome of all checks. */
export interface Diagnosis {
  checks: CheckOutcome[];
  findings: DoctorFinding[];
}

export interface DiagnoseOptions {
  /** Names of the checks to run. Default: all. */
  only?: readonly string[];
  thresholds?: Partial<Thresholds>;
  /** Reads the use of statements on past days, which `pgw health serve` records. Default: nothing was recorded. */
  recordedStatements?: () => Promise<Records["statements"]>;
}

/** Time limits of each query of a check. */
const limits = { statementTimeoutMs: 10_000, lockTimeoutMs: 200 };

/**
 * Runs checks of a server and of some of its databases. Changes nothing.
 *
 * @param connections one connection for each database, all to the same server
 * @throws OperationError (wrong usage) for an unknown check; ConnectionError if a database cannot be reached
 */
export async function diagnose(connections: readonly Connection[], options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const selected = selectChecks(options.only);
  const thresholds = { ...defaultThresholds, ...options.thresholds };
  const diagnosis: Diagnosis = { checks: [], findings: [] };
  const nothing = { known: false, reason: "nothing was recorded: pgw health serve keeps the history" } as const;
  const records = { statements: (await options.recordedStatements?.()) ?? nothing };
  for (const [index, connection] of connections.entries()) {
    const here = selected.filter(({ scope }) => scope === "database" || index === 0);
    await withObserver(connection, { applicationName: "pgroundwork doctor", ...limits }, async (observer) => {
      for (const check of here) {
        const { outcome, findings } = await run(check, observer, thresholds, records);
        diagnosis.checks.push(outcome);
        diagnosis.findings.push(...findings);
      }
    });
  }
  return diagnosis;
}

/**
 * Returns the checks with these names.
 *
 * @throws OperationError (wrong usage)
 */
export function selectChecks(names: readonly string[] | undefined): readonly Check[] {
  if (names === undefined) return allChecks;
  const known = allChecks.map(({ name }) => name);
  for (const name of names.filter((each) => !known.includes(each))) {
    const near = nearest(name, known);
    const hint = near === undefined ? `Checks: ${known.join(", ")}.` : `Did you mean "${near}"?`;
    throw new OperationError(`There is no check "${name}".`, { hint, exitCode: exitCode.usage });
  }
  return allChecks.filter(({ name }) => names.includes(name));
}

async function run(
  check: Check,
  observer: Observer,
  thresholds: Thresholds,
  records: Records,
): Promise<{ outcome: CheckOutcome; findings: DoctorFinding[] }> {
  const { name, title, scope } = check;
  const database = scope === "database" ? observer.facts.database : null;
  const { problems, unknown = [] } = await answerOf(check, observer, thresholds, records);
  const state = problems.length > 0 ? "found" : unknown.length > 0 ? "unknown" : "clear";
  const outcome: CheckOutcome = { check: name, title, database, state, unknown };
  return { outcome, findings: problems.map((problem) => findingOf(check, database, problem)) };
}

async function answerOf(check: Check, observer: Observer, thresholds: Thresholds, records: Records): Promise<Answer> {
  try {
    return await check.find(observer, thresholds, records);
  } catch (error) {
    if (error instanceof NotKnown) return { problems: [], unknown: [error.message] };
    throw error;
  }
}

function findingOf({ name, title }: Check, database: string | null, problem: Problem): DoctorFinding {
  const { object, level, detail, objects = [object], hint = null, fix = null } = problem;
  const key = [name, ...(database === null ? [] : [database]), object].join("/");
  return { code: name, level, title, detail, objects, hint, key, database, fix };
}
