import type { SearchedColumns } from "./searched-columns.ts";

/** A table in the scratch database. */
export interface ScratchTable {
  /** Qualified and quoted. */
  name: string;
  columns: ScratchColumn[];
  /** Key columns of its valid btree indexes without a predicate. An expression is an empty text. */
  indexed: string[][];
}

export interface ScratchColumn {
  name: string;
  widthBytes: number;
  /** Estimated number of distinct values. */
  distinct: number;
}

/** Key columns of an index that is worth a trial. */
export interface Candidate {
  table: string;
  columns: string[];
}

/** Columns of a key at most, and candidates of a statement for each table at most. */
const [mostColumns, mostCandidates] = [3, 12];

/**
 * Returns the indexes that could serve a statement: each searched column alone, and combinations that begin with those
 * compared for equality, the most distinct ones first. Columns at the beginning of an existing index are left out.
 */
export function candidatesFor(table: ScratchTable, searched: SearchedColumns): Candidate[] {
  const there = (names: readonly string[]) => table.columns.filter(({ name }) => names.includes(name));
  const equal = there(searched.equal)
    .sort((a, b) => b.distinct - a.distinct)
    .map(({ name }) => name);
  const range = there(searched.range).map(({ name }) => name);
  // In the order of the statement.
  const sorted = searched.sorted.filter((name) => table.columns.some((column) => column.name === name));
  const keys = [
    equal.slice(0, mostColumns),
    equal.slice(0, 2),
    ...range.map((column) => [...equal.slice(0, 2), column]),
    [...equal.slice(0, 1), ...sorted],
    sorted,
    ...[...equal, ...range].map((column) => [column]),
  ];
  const tried = new Map<string, Candidate>();
  for (const key of keys) {
    const columns = [...new Set(key)].slice(0, mostColumns);
    if (columns.length === 0 || table.indexed.some((other) => isPrefix(columns, other))) continue;
    tried.set(columns.join("\0"), { table: table.name, columns });
  }
  return [...tried.values()].slice(0, mostCandidates);
}

/** Returns true if a list begins with all elements of another one. */
export function isPrefix(beginning: readonly string[], list: readonly string[]): boolean {
  return beginning.length <= list.length && beginning.every((each, index) => each === list[index]);
}

/** Usable bytes of an index page that is 90 % full. */
const pageBytes = 0.9 * 8_192 - 40;

/** Estimates the pages of a btree index, before equal keys are merged. */
export function indexPages(rows: number, columns: readonly ScratchColumn[]): number {
  const aligned = (bytes: number) => 8 * Math.ceil(bytes / 8);
  const key = aligned(columns.reduce((sum, { widthBytes }) => sum + widthBytes, 0));
  return 1 + Math.ceil((rows * (8 + key + 4)) / pageBytes);
}

/** Returns the range in bytes in which the size of a new index probably is: equal keys are merged, pages split. */
export function sizeRange(pages: number): { low: number; high: number } {
  return { low: Math.round(pages * 8_192 * 0.3), high: Math.round(pages * 8_192 * 1.5) };
}
