import { type HeldLocks, isStronger } from "./lock-mode.ts";
import type { Relation } from "./relations.ts";

/**
 * Replaces partitions by their partitioned table, if all its partitions are among the tables and it is locked at least
 * as strongly. The live database has other partitions, and a change of the partitioned table affects those too.
 */
export function wholeTables(
  relations: ReadonlyMap<number, Relation>,
  tables: ReadonlySet<number>,
  locks: HeldLocks,
): Set<number> {
  return new Set([...tables].map((table) => wholeOf(relations, tables, locks, table) ?? table));
}

function wholeOf(
  relations: ReadonlyMap<number, Relation>,
  tables: ReadonlySet<number>,
  locks: HeldLocks,
  table: number,
): number | undefined {
  const own = locks.get(table) ?? "AccessShareLock";
  return relations.get(table)?.ancestors.find((ancestor) => {
    const held = locks.get(ancestor);
    if (held === undefined || isStronger(own, held)) return false;
    return leavesOf(relations, ancestor).every((leaf) => tables.has(leaf));
  });
}

function leavesOf(relations: ReadonlyMap<number, Relation>, table: number): number[] {
  return [...relations.values()]
    .filter(({ kind, isPartitioned, ancestors }) => kind === "table" && !isPartitioned && ancestors.includes(table))
    .map(({ oid }) => oid);
}
