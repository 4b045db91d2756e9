import { type HeldLocks, isStronger, type LockEffect, type LockMode, lockEffect } from "./lock-mode.ts";
import { wholeTables } from "./partitions.ts";
import type { Relation, TableState } from "./relations.ts";

/** A lock that a statement took on a relation that existed before the pending files. */
export interface RelationLock {
  /** Name with schema: `public.orders`. */
  relation: string;
  mode: LockMode;
  effect: LockEffect;
}

/** Effects of a statement, in the scratch cluster, on relations that existed before the pending files. */
export interface StatementEffects {
  /** The strongest new lock on each relation. Locks that the file already holds are left out. */
  locks: RelationLock[];
  /** Tables that were rewritten row by row. */
  rewritten: string[];
  /** Tables that were read completely. */
  scanned: string[];
  /** Tables that TRUNCATE emptied. */
  emptied: string[];
  /** Tables that no longer exist. */
  dropped: string[];
}

/** States of tables, by oid. */
export type TableStates = ReadonlyMap<number, TableState>;

/** State of one session between two statements: the locks that it holds and the tables as it sees them. */
export interface Look {
  locks: HeldLocks;
  tables: TableStates;
}

/**
 * Returns the effects between two observations.
 *
 * @param isTruncate true if the statement is TRUNCATE, which empties a table by giving it a new file
 */
export function effectsBetween(
  relations: ReadonlyMap<number, Relation>,
  before: Look,
  after: Look,
  isTruncate: boolean,
): StatementEffects {
  const replaced = tablesWhere(
    before.tables,
    after.tables,
    (was, is) => is !== undefined && was.fileNode !== is.fileNode,
  );
  // A rewrite reads the table too, so a rewritten table is not listed as scanned.
  const scanned = tablesWhere(
    before.tables,
    after.tables,
    (was, is) => is !== undefined && was.scans < is.scans && was.fileNode === is.fileNode,
  );
  const gone = tablesWhere(before.tables, after.tables, (_, is) => is === undefined);
  const named = (tables: ReadonlySet<number>) => namesOf(relations, wholeTables(relations, tables, after.locks));
  return {
    locks: newLocks(relations, before.locks, after.locks),
    rewritten: isTruncate ? [] : named(replaced),
    scanned: named(scanned),
    emptied: isTruncate ? named(replaced) : [],
    dropped: named(gone),
  };
}

function tablesWhere(
  before: TableStates,
  after: TableStates,
  test: (was: TableState, is: TableState | undefined) => boolean,
): Set<number> {
  return new Set([...before].flatMap(([oid, was]) => (test(was, after.get(oid)) ? [oid] : [])));
}

/** Returns the names of tables. An oid that is no relation from before the pending files is skipped. */
function namesOf(relations: ReadonlyMap<number, Relation>, tables: Iterable<number>): string[] {
  return [...tables].flatMap((oid) => relations.get(oid)?.name ?? []).sort((a, b) => a.localeCompare(b, "en"));
}

/** Returns the locks that are held after a statement and were absent or weaker before it. */
function newLocks(relations: ReadonlyMap<number, Relation>, before: HeldLocks, after: HeldLocks): RelationLock[] {
  const taken: RelationLock[] = [];
  for (const [oid, mode] of after) {
    const relation = relations.get(oid);
    const held = before.get(oid);
    if (relation === undefined || (held !== undefined && !isStronger(mode, held))) continue;
    if (isImplied(relation, mode, after)) continue;
    taken.push({ relation: relation.name, mode, effect: lockEffect(mode) });
  }
  return taken.sort((a, b) => (isStronger(b.mode, a.mode) ? 1 : isStronger(a.mode, b.mode) ? -1 : compare(a, b)));
}

/**
 * Returns true if a lock adds no information. The lock of an index, a sequence or a view matters only if it is stronger
 * than that of its table. The lock of a partition matters only if it is stronger than that of a partitioned table above
 * it.
 */
function isImplied({ kind, table, ancestors }: Relation, mode: LockMode, after: HeldLocks): boolean {
  if (kind === "table") {
    return ancestors.some((ancestor) => {
      const whole = after.get(ancestor);
      return whole !== undefined && !isStronger(mode, whole);
    });
  }
  const own = table === null ? undefined : after.get(table);
  return !isStronger(mode, own ?? "RowExclusiveLock");
}

function compare(a: RelationLock, b: RelationLock): number {
  return a.relation.localeCompare(b.relation, "en");
}
