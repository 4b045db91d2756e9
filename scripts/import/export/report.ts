import { shownKey } from "../run/ledger.ts";
/** Kind of a change that an export wrote. */
export type ExportedChange = "changed" | "added" | "removed";

/** A value or row of the target that the documents cannot have. */
export interface NotWritten {
  table: string;
  key: string;
  /** Undefined if it is the whole row. */
  column: string | undefined;
  reason: string;
}

/** Values that are named at most. */
const mostNamed = 100;

/** Collects what an export changed in the documents, and what it could not write. */
export class ExportReport {
  readonly #tables = new Map<string, Record<ExportedChange, number>>();
  readonly named: NotWritten[] = [];
  #notWritten = 0;

  count(table: string, change: ExportedChange): void {
    const counts = this.#tables.get(table) ?? { changed: 0, added: 0, removed: 0 };
    counts[change]++;
    this.#tables.set(table, counts);
  }

  notWritten(table: string, key: string, column: string | undefined, reason: string, count = 1): void {
    this.#notWritten += count;
    if (this.named.length < mostNamed) this.named.push({ table, key: shownKey(key), column, reason });
  }

  /** Number of values and rows that could not be written. */
  get notWrittenCount(): number {
    return this.#notWritten;
  }

  /** Rows by table that differ from the documents of the import. */
  get tables(): ({ table: string } & Record<ExportedChange, number>)[] {
    return [...this.#tables].map(([table, counts]) => ({ table, ...counts }));
  }
}
