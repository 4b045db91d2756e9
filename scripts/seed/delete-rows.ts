import pg, { type Client, DatabaseError } from "pg";
import { locateRows, type RecordedTable, type SeedFileName } from "./recorded-rows.ts";

/** SQLSTATE foreign_key_violation, and restrict_violation. */
const stillReferenced = ["23503", "23001"];

/**
 * Deletes the rows in `seeded` (see `locateRows`), the tables' own triggers set aside meanwhile: they would write about it, and refuse where a table
 * is append-only. Foreign keys hold.
 *
 * @returns rows deleted, by table
 * @throws OperationError or the server's error; the caller's transaction is to be rolled back then
 */
export async function deleteRows(
  client: Client,
  files: readonly SeedFileName[],
  located: readonly RecordedTable[],
): Promise<Map<string, number>> {
  const deleted = new Map<string, number>();
  const triggers = await ownTriggers(client);
  for (const { table, name } of triggers) await client.query(`alter table ${table} disable trigger ${name}`);
  let tables = await childrenFirst(client, located);
  for (;;) {
    const before = [...deleted.values()].reduce((sum, count) => sum + count, 0);
    let refused: unknown;
    for (const table of tables) {
      await client.query("savepoint rows");
      try {
        const { rowCount } = await client.query(
          `delete from ${table.name} t using pg_temp.seeded s where s.relation = $1::oid and s.leaf = t.tableoid and s."row" = t.ctid`,
          [table.relation],
        );
        deleted.set(table.name, (deleted.get(table.name) ?? 0) + (rowCount ?? 0));
        await client.query("release savepoint rows");
      } catch (error) {
        if (!(error instanceof DatabaseError) || !stillReferenced.includes(error.code ?? "")) throw error;
        // Tables that refer to each other in a circle: once more when the others are done.
        refused = error;
        await client.query("rollback to savepoint rows");
      }
    }
    // A foreign key that empties its column gives the row another place.
    tables = await childrenFirst(client, await locateRows(client, files));
    const { rows } = await client.query("select from pg_temp.seeded limit 1");
    if (rows.length === 0) break;
    const after = [...deleted.values()].reduce((sum, count) => sum + count, 0);
    if (after === before) throw refused ?? new Error("seeded rows are left that no statement deletes");
  }
  for (const { table, name } of triggers) await client.query(`alter table ${table} enable trigger ${name}`);
  return deleted;
}

/** The triggers that are on, of the tables that rows are deleted from, the constraints' own left out. */
async function ownTriggers(client: Client): Promise<{ table: string; name: string }[]> {
  const { rows } = await client.query<{ table: string; name: string }>(
    `select tgrelid::regclass::text as "table", tgname as name from pg_trigger
      where not tgisinternal and tgenabled = 'O' and tgparentid = 0
        and tgrelid in (select relation from pg_temp.seeded union select leaf from pg_temp.seeded)`,
  );
  return rows.map(({ table, name }) => ({ table, name: pg.escapeIdentifier(name) }));
}

/** Tables in an order in which each comes before those that it refers to, circles apart. */
async function childrenFirst(client: Client, tables: readonly RecordedTable[]): Promise<RecordedTable[]> {
  const { rows } = await client.query<{ child: string; parent: string }>(
    `select distinct conrelid::text as child, confrelid::text as parent from pg_constraint
      where contype = 'f' and conparentid = 0 and conrelid <> confrelid`,
  );
  const ordered: RecordedTable[] = [];
  const visited = new Set<string>();
  const visit = (table: RecordedTable) => {
    if (visited.has(table.relation)) return;
    visited.add(table.relation);
    const children = rows.filter(({ parent }) => parent === table.relation);
    for (const child of tables.filter(({ relation }) => children.some((each) => each.child === relation))) visit(child);
    ordered.push(table);
  };
  for (const table of tables) visit(table);
  return ordered;
}
