import pg, { type Client, DatabaseError } from "pg";
import { locateRows, type RecordedTable, type SeedFileName } from "./recorded-rows.ts";

/** SQLSTATEs foreign_key_violation and restrict_violation. */
const stillReferenced = ["23503", "23001"];

/**
 * Deletes the rows in `seeded` (see `locateRows`) with the tables' own triggers disabled. Such triggers would write
 * about the deletion, and those of an append-only table would refuse it. Foreign keys stay in force.
 *
 * @returns number of deleted rows, by table
 * @throws OperationError or the server's error; the caller must then roll its transaction back
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
        // Tables can refer to each other in a circle: try again after the others.
        refused = error;
        await client.query("rollback to savepoint rows");
      }
    }
    // A foreign key that sets its column to null gives the row a new ctid.
    tables = await childrenFirst(client, await locateRows(client, files));
    const { rows } = await client.query("select from pg_temp.seeded limit 1");
    if (rows.length === 0) break;
    const after = [...deleted.values()].reduce((sum, count) => sum + count, 0);
    if (after === before) throw refused ?? new Error("some seeded rows could not be deleted");
  }
  for (const { table, name } of triggers) await client.query(`alter table ${table} enable trigger ${name}`);
  return deleted;
}

/** Returns the enabled triggers of the tables that rows are deleted from, without those of constraints. */
async function ownTriggers(client: Client): Promise<{ table: string; name: string }[]> {
  const { rows } = await client.query<{ table: string; name: string }>(
    `select tgrelid::regclass::text as "table", tgname as name from pg_trigger
      where not tgisinternal and tgenabled = 'O' and tgparentid = 0
        and tgrelid in (select relation from pg_temp.seeded union select leaf from pg_temp.seeded)`,
  );
  return rows.map(({ table, name }) => ({ table, name: pg.escapeIdentifier(name) }));
}

/** Orders tables so that each comes before those that it refers to, except in circles. */
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
