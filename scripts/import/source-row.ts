import { convert } from "./convert.ts";
import type { TablePlan } from "./plan.ts";
import { copyField } from "./values/copy-text.ts";
import { type Hash, hashText, signedHash } from "./values/server-hash.ts";
import { Problem, textOf, type Value } from "./values/value.ts";

const noSeed: Hash = { high: 0, low: 0 };
const hash: Hash = { high: 0, low: 0 };

/** Computes the digest of a converted row: of its cells as COPY reads them, each after a tab. */
export function digestOfCells(cells: string): string {
  hashText(cells, noSeed, hash);
  return String(signedHash(hash));
}

/** Converts a row and computes its digest; undefined if a value cannot be converted. */
export function sourceDigest(plan: TablePlan, row: unknown): string | undefined {
  let cells = "";
  for (const column of plan.columns) {
    const cell = convert(column, row);
    if (cell instanceof Problem) return undefined;
    cells += `\t${copyField(cell)}`;
  }
  return digestOfCells(cells);
}

/**
 * Returns a function that gives the key which a row has in the source, if the import makes another one of it; else
 * null.
 */
export function sourceKeyReader({ key, columns }: TablePlan): (row: unknown) => string | null {
  const [name] = key;
  const column = key.length === 1 ? columns.find(({ target }) => target.name === name) : undefined;
  if (column?.makesKey !== true) return () => null;
  const steps = column.steps.slice(0, -1);
  return (row) => {
    let value: Value | Problem = column.read(row);
    for (const step of steps) {
      if (value === null || value === undefined || value instanceof Problem) return null;
      value = step(value);
    }
    return value instanceof Problem ? null : (textOf(value) ?? null);
  };
}
