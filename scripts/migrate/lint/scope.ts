import { statementAt } from "./exceptions.ts";
import type { Raw, ReadFile } from "./raw-findings.ts";
import { ruleOf } from "./rules.ts";

/** State of a table in the database that the files are for. */
export type TableState = "absent" | "empty" | "rows";

/** Returns the states of tables before the first of the files, by name (for an index, those of its table). */
export type TableStates = (names: readonly string[]) => Promise<ReadonlyMap<string, TableState>>;

/** Returns a test that tells if a finding matters for this database, by the tables that its statement changes. */
export async function scopeTest(files: readonly ReadFile[], tableStates: TableStates | undefined) {
  const all = files.flatMap(({ tables }) => tables.flatMap((each) => each ?? []));
  const made = new Set(all.flatMap((each) => each.made));
  const names = [...new Set(all.flatMap(({ changed }) => changed))];
  const states = (await tableStates?.(names)) ?? new Map<string, TableState>();
  const isNew = (name: string) => made.has(name) && (states.get(name) ?? "absent") === "absent";
  return ({ spans, tables }: ReadFile, { rule, offset }: Raw): boolean => {
    const { scope } = ruleOf(rule);
    const changed = tables[statementAt(spans, offset)]?.changed ?? [];
    if (scope === "anywhere" || changed.length === 0) return true;
    return !changed.every((name) => isNew(name) || (scope === "rows" && states.get(name) === "empty"));
  };
}
