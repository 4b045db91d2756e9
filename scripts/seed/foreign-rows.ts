import pg, { type Client } from "pg";

/** Rows that the seeds did not put in and that refer to rows that they did. */
export interface ForeignRows {
  /** The table that refers, and the one that is referred to; qualified and quoted. */
  table: string;
  referenced: string;
  constraint: string;
  rows: number;
  /** What the rows' foreign key would do to them. */
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

/** Looks for rows that do not stand in `seeded` (see `locateRows`) and refer to some that do, whatever their foreign key would make of them. */
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
