import { type HeldLocks, isStronger } from "./lock-mode.ts";
import type { Relation } from "./relations.ts";

/**
 * Tables with partitions put together: where all of them are among the tables, and the whole is locked as they are, the whole stands in their place. The live
 * database has other partitions, and what is done to the whole is done to them.
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
