import type { Client } from "pg";
import { identifier, literal } from "../target/target-table.ts";
import { printed } from "../values/codec.ts";
import type { RunTable } from "./ledger.ts";

/*
 * A row is kept as it was by the texts of its values, as the server prints and reads them. Values of jsonb would lose
 * the spelling of json, and the bounds of arrays.
 */

/** SQL of a row as it is: an object of the texts of its values. */
export function beforeSql(columns: readonly string[], alias: string): string {
  const texts = columns.map((name) => printed(`${alias}.${identifier(name)}`));
  return `jsonb_object(array[${columns.map(literal).join(", ")}]::text[], array[${texts.join(", ")}]::text[])`;
}

/** A column that can be set to the value that it had. */
export interface RestoredColumn {
  /** Quoted. */
  name: string;
  /** SQL of the value in a record `r`. */
  value: string;
  /** True for GENERATED ALWAYS AS IDENTITY, which an update cannot set. */
  isIdentity: boolean;
}

/** Reads the columns of a table that had values at the run and can be written. */
export async function restoredColumns(client: Client, { target, columns }: RunTable): Promise<RestoredColumn[]> {
  // The type has no length, so that a value that has become too long is refused and not cut.
  const { rows } = await client.query<{ name: string; type: string; isIdentity: boolean }>(
    `select attname as name, format_type(atttypid, -1) as type, attidentity = 'a' as "isIdentity" from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attname = any ($2)
      order by attnum`,
    [target, columns],
  );
  return rows.map(({ name, type, isIdentity }) => ({
    name: identifier(name),
    value: `(r.before ->> ${literal(name)})::${type}`,
    isIdentity,
  }));
}
