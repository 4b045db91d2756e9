import { type HeldLocks, isStronger, type LockEffect, type LockMode, lockEffect } from "./lock-mode.ts";
import { wholeTables } from "./partitions.ts";
import type { Relation, TableState } from "./relations.ts";

/** A lock that a statement took on something that was there before. */
export interface RelationLock {
  /** With its schema: `public.orders`. */
  relation: string;
  mode: LockMode;
  effect: LockEffect;
}

/** What a statement did in the scratch database to what was there before the pending files. */
export interface StatementEffects {
  /** The strongest on each relation, those left out that the file holds already. */
  locks: RelationLock[];
  /** Tables that were written anew, row by row. */
  rewritten: string[];
  /** Tables that were read from end to end. */
  scanned: string[];
  /** Tables that TRUNCATE emptied. */
  emptied: string[];
  /** Tables that are gone. */
  dropped: string[];
}

export type TableStates = ReadonlyMap<number, TableState>;

/** What one session holds and has touched, between two statements. */
export interface Look {
  locks: HeldLocks;
  tables: TableStates;
}

/**
 * What lies between two looks.
 * @param isTruncate whether the statement is one that gives a table a new file to empty it
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
  // What is written anew is read for it.
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

/** What is no relation from before the pending files has no name here. */
function namesOf(relations: ReadonlyMap<number, Relation>, tables: Iterable<number>): string[] {
  return [...tables].flatMap((oid) => relations.get(oid)?.name ?? []).sort((a, b) => a.localeCompare(b, "en"));
}

/** The locks that are held after a statement and were not, or weaker, before it. */
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
 * What keeps an index, a sequence or a view busy says something only where it is more than its table's own lock, and a partition's where it is more than that
 * of the whole table.
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
