import pg from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { NotKnown, withObserver } from "../../connection/observer.ts";
import type { Known } from "../../core/known.ts";
import { readCommitted } from "../../migrate/committed.ts";
import { replay, type TrialOptions, triedHint, withReplay } from "../../migrate/replay.ts";
import { type TriedOn, triedOn } from "../../migrate/schema-drift.ts";
import { readKnownStatus, requireNoProblems } from "../../migrate/verify.ts";
import { NotTried } from "../../scratch/request.ts";
import { SqlFileError } from "../../sql/run-sql.ts";
import { type Fix, fix } from "../fix.ts";
import { type Candidate, candidatesFor, indexPages, isPrefix, type ScratchTable, sizeRange } from "./candidates.ts";
import { type LiveUse, readLiveUse, type UsedStatement } from "./live-use.ts";
import { ScratchPlanner } from "./scratch-planner.ts";
import { type SearchedColumns, searchedColumns } from "./searched-columns.ts";

/** An index that the planner would use. */
export interface IndexAdvice {
  /** Qualified and quoted. */
  table: string;
  columns: string[];
  /** Creates it, and drops it to undo that. */
  fix: Fix;
  /** Estimated size in bytes. */
  bytes: { low: number; high: number };
  /** Rows of the table that were written since the server counts: each would write to the index, too. */
  writes: number;
  /** Statements that become cheaper. */
  statements: ImprovedStatement[];
}

/** A statement with the planner's costs without and with all advised indexes. */
export interface ImprovedStatement {
  id: string;
  /** Beginning of its text. */
  text: string;
  calls: number;
  totalMs: number;
  costBefore: number;
  costAfter: number;
}

/** Index advice for a database. */
export interface DatabaseAdvice extends TriedOn {
  advice: IndexAdvice[];
  /** Statements that were planned. */
  examined: number;
  /** Statements that could not be judged. */
  unknown: { id: string; reason: string }[];
  /** Time since which statements are counted; null if the server does not say. */
  countedSince: Date | null;
  /** True if distinct values of columns are known, and not only the sizes of tables. */
  knowsColumns: boolean;
}

export interface AdviceOptions extends TrialOptions {
  /** Login that reads statements and sizes. */
  observed: Connection;
}

/** Statements that are examined at most. */
const mostStatements = 20;

/** An index is advised if the cost of a statement falls to this share or below. */
const advisedShare = 0.7;

/** Growth of the cost with fewer indexes that does not matter. */
const tolerance = 1.05;

/** Time limits of each query on the live server. */
const limits = { statementTimeoutMs: 10_000, lockTimeoutMs: 200 };

const application = "pgroundwork index advice";

/**
 * Looks for indexes that make the most expensive statements cheaper. The planner judges them in a scratch cluster, with
 * a database from the applied migrations whose tables are empty, but look as large as the live ones. The live server is
 * only read. If this is not possible, the answer is the reason.
 *
 * @throws OperationError if files and records do not match
 */
export async function adviseIndexes(options: AdviceOptions): Promise<Known<DatabaseAdvice>> {
  const { applied, problems } = await readKnownStatus(options.connection, options.folder);
  requireNoProblems(problems);
  const names = new Set(applied.map(({ filename }) => filename));
  const files = (await readCommitted(options.folder)).filter(({ filename }) => names.has(filename));
  try {
    const use = await withObserver(options.observed, { applicationName: application, ...limits }, readLiveUse);
    return await withReplay(options, files, [], async (run) => {
      await replay(run, files);
      const { connection, superuser } = run.scratch;
      const values = await withClient(
        superuser,
        (catalog) =>
          withClient(connection, (login) => tryIndexes(new ScratchPlanner(catalog, login, use), use), application),
        application,
      );
      return { known: true, ...values, ...triedOn(run.scratch) };
    });
  } catch (error) {
    if (error instanceof NotKnown) return { known: false, reason: error.message };
    if (error instanceof NotTried) return { known: false, reason: error.reason };
    if (error instanceof SqlFileError) return { known: false, reason: `${error.message} ${triedHint}` };
    throw error;
  }
}

interface Examined extends UsedStatement {
  searched: SearchedColumns;
  costBefore: number;
  tables: string[];
}

async function tryIndexes(planner: ScratchPlanner, use: LiveUse): Promise<Omit<DatabaseAdvice, keyof TriedOn>> {
  const tables = await planner.tables();
  const unknown: DatabaseAdvice["unknown"] = [];
  const examined: Examined[] = [];
  for (const statement of use.statements) {
    if (examined.length + unknown.length === mostStatements) break;
    const searched = await searchedColumns(statement.text);
    if (searched === undefined) continue;
    const first = await attempt(() => planner.plan(statement.text));
    if ("reason" in first) unknown.push({ id: statement.id, reason: first.reason });
    else if (first.tables.length > 0)
      examined.push({ ...statement, searched, tables: first.tables, costBefore: first.cost });
  }
  // All indexes are created while the tables are still empty.
  for (const { searched, tables: read } of examined)
    for (const table of read)
      for (const candidate of candidatesFor(tables.get(table) ?? noTable, searched)) await planner.create(candidate);
  await planner.enlarge(tables);

  const judged: Examined[] = [];
  for (const statement of examined) {
    const unmeasured = statement.tables.filter((table) => !planner.isMeasured(table));
    if (unmeasured.length > 0)
      unknown.push({
        id: statement.id,
        reason: `${unmeasured.join(", ")} was never analyzed, so its size is not known`,
      });
    else judged.push({ ...statement, costBefore: (await planner.plan(statement.text)).cost });
  }
  const chosen = await withoutBeginnings(planner, judged, await choose(planner, judged, tables));
  const advice = chosen.map((candidate): IndexAdvice => describe(candidate, planner, tables));
  for (const { id, text, calls, totalMs, costBefore } of judged) {
    const { cost: costAfter, used } = await planner.plan(text, chosen);
    if (costAfter > advisedShare * costBefore) continue;
    for (const each of advice)
      if (used.some((candidate) => isSame(candidate, each)))
        each.statements.push({ id, text: beginning(text), calls, totalMs, costBefore, costAfter });
  }
  return {
    advice: advice.filter(({ statements }) => statements.length > 0).sort((a, b) => gain(b) - gain(a)),
    examined: judged.length,
    unknown,
    countedSince: use.countedSince,
    knowsColumns: use.columns.length > 0,
  };
}

const noTable: ScratchTable = { name: "", columns: [], indexed: [] };

/** Runs a plan that can fail: a parameter without a type, or an object that no migration creates. */
async function attempt<T>(work: () => Promise<T>): Promise<T | { reason: string }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof pg.DatabaseError) return { reason: `it cannot be planned: ${error.message}` };
    throw error;
  }
}

/** Returns the fewest candidates with which each statement is about as cheap as with all. */
async function choose(
  planner: ScratchPlanner,
  statements: readonly Examined[],
  tables: ReadonlyMap<string, ScratchTable>,
): Promise<Candidate[]> {
  const chosen: Candidate[] = [];
  for (const { text, searched, costBefore, tables: read } of statements) {
    const own = read.flatMap((table) => candidatesFor(tables.get(table) ?? noTable, searched));
    const best = await planner.plan(text, own);
    if (best.cost > advisedShare * costBefore) continue;
    let needed = best.used;
    for (const candidate of best.used) {
      const fewer = needed.filter((each) => each !== candidate);
      if ((await planner.plan(text, fewer)).cost <= tolerance * best.cost) needed = fewer;
    }
    for (const candidate of needed) if (!chosen.some((each) => isSame(each, candidate))) chosen.push(candidate);
  }
  return chosen;
}

/** Leaves out indexes whose columns are the beginning of another one, if that one serves their statements as well. */
async function withoutBeginnings(
  planner: ScratchPlanner,
  statements: readonly Examined[],
  chosen: readonly Candidate[],
): Promise<Candidate[]> {
  const costs = async (candidates: readonly Candidate[]) => {
    const all: number[] = [];
    for (const { text } of statements) all.push((await planner.plan(text, candidates)).cost);
    return all;
  };
  let kept = [...chosen];
  for (const candidate of chosen) {
    const isBeginning = (other: Candidate) =>
      other !== candidate && other.table === candidate.table && isPrefix(candidate.columns, other.columns);
    if (!kept.some(isBeginning)) continue;
    const fewer = kept.filter((each) => each !== candidate);
    const [before, after] = [await costs(kept), await costs(fewer)];
    if (after.every((cost, index) => cost <= tolerance * (before[index] ?? 0))) kept = fewer;
  }
  return kept;
}

function describe(
  { table, columns }: Candidate,
  planner: ScratchPlanner,
  tables: ReadonlyMap<string, ScratchTable>,
): IndexAdvice {
  const keys = tables.get(table)?.columns.filter(({ name }) => columns.includes(name)) ?? [];
  const { schema, plainName, isPartitioned } = planner.relation(table);
  const name = nameOf(plainName, columns, (taken) => planner.hasRelation(schema, taken));
  const id = (text: string) => (/^[a-z_][a-z0-9_]*$/.test(text) ? text : pg.escapeIdentifier(text));
  const how = isPartitioned ? "" : "concurrently ";
  const effect = isPartitioned
    ? `SHARE on ${table} and its partitions: blocks writes until it is built.`
    : "SHARE UPDATE EXCLUSIVE: blocks no reads or writes.";
  return {
    table,
    columns,
    fix: fix([`create index ${how}${id(name)} on ${table} (${columns.map(id).join(", ")})`], effect, [
      `drop index ${how}${id(schema)}.${id(name)}`,
    ]),
    bytes: sizeRange(indexPages(planner.rows(table), keys)),
    writes: planner.writes(table),
    statements: [],
  };
}

/** Longest name of an index in bytes. */
const longestName = 63;

function nameOf(table: string, columns: readonly string[], isTaken: (name: string) => boolean): string {
  const base = `${table}_${columns.join("_")}`;
  for (let number = 0; ; number += 1) {
    const suffix = number === 0 ? "_idx" : `_idx${number}`;
    const name = `${Buffer.from(base)
      .subarray(0, longestName - suffix.length)
      .toString("utf8")
      .replace(/\uFFFD+$/, "")}${suffix}`;
    if (!isTaken(name)) return name;
  }
}

function isSame(a: Pick<Candidate, "table" | "columns">, b: Pick<Candidate, "table" | "columns">): boolean {
  return a.table === b.table && a.columns.length === b.columns.length && isPrefix(a.columns, b.columns);
}

/** Longest text in characters that is shown. */
const shownCharacters = 200;

function beginning(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, shownCharacters);
}

/** Returns the time in ms that the statements of an index would have saved if time were proportional to cost. */
function gain({ statements }: IndexAdvice): number {
  return statements.reduce(
    (sum, { totalMs, costBefore, costAfter }) => sum + totalMs * (1 - costAfter / costBefore),
    0,
  );
}
