import pg, { type Client } from "pg";

/** Rows that the seeds did not insert and that refer to seeded rows. */
export interface ForeignRows {
  /** The referencing and the referenced table; qualified and quoted. */
  table: string;
  referenced: string;
  constraint: string;
  rows: number;
  /** Effect of the foreign key on these rows. */
  onDelete: "refuses" | "deletes them" | "empties their column";
}

interface ForeignKey {
  table: string;
  referenced: string;
  constraint: string;
  onDelete: ForeignRows["onDelete"];
  columns: string[];
  referencedColumns: string[];
}

/**
 * Finds rows that are not in `seeded` (see `locateRows`) and refer to rows that are, whatever their foreign key would
 * do.
 */
export async function findForeignRows(client: Client): Promise<ForeignRows[]> {
  const found: ForeignRows[] = [];
  for (const key of await foreignKeys(client)) {
    const { table, referenced, constraint, onDelete, columns, referencedColumns } = key;
    const matches = columns.map(
      (column, index) =>
        `c.${pg.escapeIdentifier(column)} = p.${pg.escapeIdentifier(referencedColumns[index] ?? column)}`,
    );
    const { rows } = await client.query<{ rows: number }>(
      `select count(*)::int as rows
         from pg_temp.seeded s join ${referenced} p on p.tableoid = s.leaf and p.ctid = s."row" join ${table} c on ${matches.join(" and ")}
        where not exists (select from pg_temp.seeded own where own.leaf = c.tableoid and own."row" = c.ctid)`,
    );
    const count = rows[0]?.rows ?? 0;
    if (count > 0) found.push({ table, referenced, constraint, rows: count, onDelete });
  }
  return found;
}

async function foreignKeys(client: Client): Promise<ForeignKey[]> {
  const names = (relation: string, keys: string) =>
    `array(select a.attname::text from unnest(f.${keys}) with ordinality k (attnum, position)
             join pg_attribute a on a.attrelid = f.${relation} and a.attnum = k.attnum order by k.position)`;
  const { rows } = await client.query<ForeignKey>(
    `select f.conrelid::regclass::text as "table", f.confrelid::regclass::text as referenced, f.conname as "constraint",
            case when f.confdeltype = 'c' then 'deletes them' when f.confdeltype in ('n', 'd') then 'empties their column' else 'refuses' end as "onDelete",
            ${names("conrelid", "conkey")} as columns, ${names("confrelid", "confkey")} as "referencedColumns"
       from pg_constraint f
      where f.contype = 'f' and f.conparentid = 0
        and exists (select from pg_temp.seeded s where s.relation = f.confrelid or s.leaf = f.confrelid)
      order by 1, 3`,
  );
  return rows;
}
