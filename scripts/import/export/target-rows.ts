import type { Client } from "pg";
import type { TablePlan } from "../plan.ts";
import { type ImportRun, keySql } from "../run/ledger.ts";
import { canonical, comparedColumns } from "../run/source-sums.ts";
import { identifier } from "../target/target-table.ts";
import { printed } from "../values/codec.ts";

/** A row of the target. */
export interface TargetRow {
  key: string;
  /** Value of the column that links it to the document around it; null if there is no such column. */
  link: string | null;
  /** Canonical texts of the compared columns. */
  values: (string | null)[];
  /** The same as PostgreSQL prints them, arrays as JSON. */
  texts: (string | null)[];
}

/** Reads the rows that belong to documents from one table. */
export class TargetRows {
  readonly #client: Client;
  readonly #run: ImportRun;
  readonly #plan: TablePlan;
  readonly #select: string;
  /** Column that links rows to the document around them, for arrays in documents. */
  readonly link: TablePlan["columns"][number] | undefined;
  /** Rows of the source that the import rejected, by their position. */
  rejected: ReadonlySet<number> = new Set();
  /** Keys of rows that no document is to get: they were there beside the import, or belong to a rejected row. */
  hidden: ReadonlySet<string> = new Set();
  /** False if new rows cannot be told from those that were there before. */
  knowsNew = false;

  constructor(client: Client, run: ImportRun, plan: TablePlan, plans: readonly TablePlan[]) {
    this.#client = client;
    this.#run = run;
    this.#plan = plan;
    this.link = linkOf(plan, plans);
    const columns = comparedColumns(plan);
    const cells = columns.map(({ codec, target }) => `(${codec.sql(`t.${identifier(target.name)}`)})`);
    const texts = columns.map(({ target }) => {
      const name = `t.${identifier(target.name)}`;
      return target.type.base === "array" ? `to_jsonb(${name})::text` : printed(name);
    });
    const link = this.link && `(${this.link.codec.sql(`t.${identifier(this.link.target.name)}`)})`;
    this.#select = `select ${keySql(plan, "t")} as key, ${link ?? "null"} as link,
      array[${cells.join(", ")}]::text[] as values, array[${texts.join(", ")}]::text[] as texts from ${plan.table.rows} t`;
  }

  /** Reads what the import recorded. */
  async prepare(): Promise<void> {
    const at = [this.#run.number, this.#plan.number];
    const [rejects, others, table] = [
      await this.#client.query<{ ordinal: string; key: string | null }>(
        "select ordinal, key from pgroundwork.import_reject where run = $1 and number = $2 and kind = 'rejected'",
        at,
      ),
      await this.#client.query<{ key: string }>(
        "select key from pgroundwork.import_row where run = $1 and number = $2 and action = 'other'",
        at,
      ),
      await this.#client.query<{ known: boolean }>(
        "select others_known as known from pgroundwork.import_table where run = $1 and number = $2",
        at,
      ),
    ];
    this.rejected = new Set(rejects.rows.map(({ ordinal }) => Number(ordinal)));
    this.hidden = new Set([...rejects.rows, ...others.rows].flatMap(({ key }) => (key === null ? [] : [key])));
    this.knowsNew = table.rows[0]?.known === true;
  }

  /** Reads rows by their keys. Each key has the texts of its columns. */
  async byKeys(keys: readonly (readonly string[])[]): Promise<TargetRow[]> {
    if (keys.length === 0) return [];
    const { key, columns } = this.#plan;
    const types = key.map((name) => columns.find(({ target }) => target.name === name)?.target.type.name ?? "text");
    const arrays = types.map((type, index) => `$${index + 1}::${type}[]`).join(", ");
    const names = key.map((name) => `t.${identifier(name)}`).join(", ");
    const values = key.map((_, index) => keys.map((each) => each[index]));
    const { rows } = await this.#client.query<TargetRow>(
      `${this.#select} where (${names}) in (select * from unnest(${arrays}))`,
      values,
    );
    return rows;
  }

  /** Reads rows by the texts of their link. */
  async byLinks(links: readonly string[]): Promise<TargetRow[]> {
    if (this.link === undefined || links.length === 0) return [];
    const { name, type } = this.link.target;
    const { rows } = await this.#client.query<TargetRow>(
      `${this.#select} where t.${identifier(name)} = any ($1::${type.name}[]) order by ${this.#order()}`,
      [links],
    );
    return rows;
  }

  /** Reads the keys of rows that are not of the source, and came after the import. */
  async *newKeys(): AsyncIterable<string[][]> {
    const [run, plan] = [this.#run, this.#plan];
    const key = plan.key.map((name) => {
      const codec = plan.columns.find(({ target }) => target.name === name)?.codec;
      return `(${codec?.sql(`t.${identifier(name)}`)})`;
    });
    const known = ["import_row", "import_reject"].map(
      (ledger) => `not exists (select from pgroundwork.${ledger} r
        where r.run = ${run.number} and r.number = ${plan.number} and r.key = ${keySql(plan, "t")})`,
    );
    await this.#client.query(
      `declare new_rows no scroll cursor for select array[${key.join(", ")}]::text[] as key from ${plan.table.rows} t
        where ${known.join(" and ")} order by ${this.#order()}`,
    );
    for (;;) {
      const { rows } = await this.#client.query<{ key: string[] }>("fetch 200 from new_rows");
      if (rows.length === 0) break;
      yield rows.map((row) => row.key);
    }
    await this.#client.query("close new_rows");
  }

  /** Returns the keys that rows had in the source, by the UUIDs that the import made of them. */
  async naturalKeys(uuids: readonly string[]): Promise<Map<string, string>> {
    if (uuids.length === 0) return new Map();
    const { rows } = await this.#client.query<{ key: string; name: string }>(
      `select key, source_key as name from pgroundwork.import_row
        where run = $1 and source_key is not null and key = any ($2)`,
      [this.#run.number, [...new Set(uuids)]],
    );
    return new Map(rows.map(({ key, name }) => [key, name]));
  }

  #order(): string {
    return this.#plan.key.map((name) => `t.${identifier(name)}`).join(", ");
  }
}

/** Finds the column that holds the key of the document around an array's elements. */
function linkOf(plan: TablePlan, plans: readonly TablePlan[]): TablePlan["columns"][number] | undefined {
  const { each, from } = plan.entry;
  if (each === undefined) return undefined;
  const outer = each.split("[].").slice(0, -1).join("[].") || undefined;
  const parents = plans.filter(({ entry }) => entry.from === from && entry.each === outer);
  return plan.columns.find(({ field, makesKey }) =>
    parents.some(({ key, columns }) => {
      const parentKey = key.length === 1 ? columns.find(({ target }) => target.name === key[0]) : undefined;
      return parentKey !== undefined && field === `$parent.${parentKey.field}` && makesKey === parentKey.makesKey;
    }),
  );
}

/** Returns the canonical texts of a row's key; undefined if it has none. */
export function keyTexts(plan: TablePlan, context: unknown): string[] | undefined {
  const texts = plan.key.map((name) => {
    const column = plan.columns.find(({ target }) => target.name === name);
    return column === undefined ? null : canonical(column, context);
  });
  return texts.some((text) => text === null || text.startsWith("(problem")) ? undefined : (texts as string[]);
}
