import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { ImportCase } from "./import-cases.ts";

/* An import of two tables that is killed at a point, and what it has to give in the end. */

/** Tables of the target. */
export const tables = `create table owner (id uuid primary key, name text not null);
  create table item (id uuid primary key, owner_id uuid not null references owner (id), price numeric(10,2), made timestamptz);`;
/** SQL of a source with this number of items. */
export const rowsOf = (
  count: number,
) => `create table owners (id integer primary key, name text); create table items (id integer primary key, owner integer, price real, made integer);
  with recursive n (value) as (select 1 union all select value + 1 from n where value < 100) insert into owners select value, 'owner ' || value from n;
  with recursive n (value) as (select 1 union all select value + 1 from n where value < ${count}) insert into items select value, value % 100 + 1, value / 4.0, 1700000000 + value from n;`;
export const map = {
  // The keys depend on the namespace, which otherwise differs from database to database.
  namespace: "9b2cbf1a-3c34-4f43-8a4e-0c1f6f1c2a11",
  tables: [
    { to: "owner", from: "owners", columns: { id: { from: "id", key: "owner" }, name: "name" } },
    {
      to: "item",
      from: "items",
      columns: {
        id: { from: "id", key: "item" },
        owner_id: { from: "owner", key: "owner" },
        price: "price",
        made: "made",
      },
    },
  ],
};

/** Imports in another process that ends itself at a point; returns how it ended. `pids` gets its process id. */
export async function importUntil(
  { connection }: ImportCase,
  file: string,
  point: string,
  pids: (number | undefined)[] = [],
): Promise<string> {
  const options = { kind: "sqlite", path: file, connection, database: connection.database, map, batchRows: 1_000 };
  const program = path.join(import.meta.dirname, "importing-process.ts");
  const child = spawn(process.execPath, [program, JSON.stringify(options), point], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  pids.push(child.pid);
  let printed = "";
  child.stdout.on("data", (data) => {
    printed += data;
  });
  const [, signal] = await once(child, "close");
  return signal ?? printed;
}

/** SQL of all that the target has. */
export const contents =
  "select md5(string_agg(i::text, ',' order by i.id)) as items, (select md5(string_agg(o::text, ',' order by o.id)) from owner o) as owners, count(*)::int as n from item i";
