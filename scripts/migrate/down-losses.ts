import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { withFile } from "../sql/file-session.ts";
import { type Removal, removalsOf, type TableName } from "./down-statements.ts";
import { openGraphileSession } from "./graphile-migrate.ts";
import type { PlannedRevert } from "./revert-plan.ts";

/** A table or column with rows that down migrations remove. */
export interface DownLoss {
  /** The migration that is reverted. */
  filename: string;
  /** `table public.orders` or `column public.orders.note`. */
  object: string;
  /** Number of rows, or of values in a column, up to {@link mostCounted}. null if they could not be counted. */
  rows: number | null;
}

/** A statement of a down migration that may remove or change rows. */
export interface UnclearStatement {
  filename: string;
  /** Its first line in the down migration, starting at 1. */
  line: number;
  statement: string;
}

/** Rows that down migrations remove from a database as it is now. */
export interface DownLosses {
  losses: DownLoss[];
  unclear: UnclearStatement[];
}

/** Number of rows after which counting stops. */
export const mostCounted = 1_000_000;

/** Limits of one count: it must not wait for long, nor read a large table to its end for a column that is empty. */
const limits = "set local lock_timeout = '3s'; set local statement_timeout = '20s'; set local row_security = off";

/** Counts the rows that down migrations remove. Only reads. */
export async function readDownLosses(
  connection: Connection,
  folder: string,
  planned: readonly PlannedRevert[],
): Promise<DownLosses> {
  const { compile, pgSettings } = await openGraphileSession(folder, connection);
  const found: DownLosses = { losses: [], unclear: [] };
  return withClient(
    connection,
    async (client) => {
      for (const { filename, down } of planned) {
        const removals = await removalsOf(down.text, compile);
        for (const removal of removals) {
          if (removal.kind !== "unknown") continue;
          const { line, statement } = removal;
          found.unclear.push({ filename, line, statement });
        }
        // Look names up with the search path that the file runs with.
        await withFile(client, { file: down.filename, settings: pgSettings }, async () => {
          for (const removal of removals) found.losses.push(...(await lossesOf(client, filename, removal)));
        });
      }
      return { ...found, losses: withoutRepeated(found.losses) };
    },
    "pgroundwork status",
  );
}

/** A relation, and the column to count; without a column, all rows count. */
interface Counted {
  schema: string;
  table: string;
  column?: string;
}

async function lossesOf(client: Client, filename: string, removal: Removal): Promise<DownLoss[]> {
  const losses: DownLoss[] = [];
  for (const counted of await existing(client, removal)) {
    const rows = await countRows(client, counted);
    const { schema, table, column } = counted;
    const object = column === undefined ? `table ${schema}.${table}` : `column ${schema}.${table}.${column}`;
    if (rows !== 0) losses.push({ filename, object, rows });
  }
  return losses;
}

/** Returns the existing tables and columns of a removal. A generated column is computed from others. */
async function existing(client: Client, removal: Removal): Promise<Counted[]> {
  switch (removal.kind) {
    case "table":
      return tables(client, "c.oid = to_regclass($1)", qualified(client, removal));
    case "column": {
      const { rows } = await client.query<Counted>(
        `select nspname as schema, relname as "table", attname as "column"
           from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = relnamespace
          where c.oid = to_regclass($1) and relkind in ('r', 'p')
            and attname = $2 and attnum > 0 and not attisdropped and attgenerated = ''`,
        [qualified(client, removal), removal.column],
      );
      return rows;
    }
    case "schema":
      return tables(client, "nspname = $1 and not relispartition", removal.schema);
    case "extension":
      return tables(
        client,
        `exists (select from pg_depend join pg_extension e on e.oid = refobjid
                  where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e' and extname = $1)`,
        removal.name,
      );
    case "unknown":
      return [];
  }
}

async function tables(client: Client, condition: string, value: string): Promise<Counted[]> {
  const { rows } = await client.query<Counted>(
    `select nspname as schema, relname as "table" from pg_class c join pg_namespace n on n.oid = relnamespace
      where relkind in ('r', 'p') and ${condition} order by 1, 2`,
    [value],
  );
  return rows;
}

async function countRows(client: Client, { schema, table, column }: Counted): Promise<number | null> {
  const from = qualified(client, { schema, table });
  const where = column === undefined ? "" : `where ${client.escapeIdentifier(column)} is not null`;
  try {
    await client.query(`begin read only; ${limits}`);
    const { rows } = await client.query<{ rows: number }>(
      `select count(*)::int as rows from (select from ${from} ${where} limit ${mostCounted}) as counted`,
    );
    return rows[0]?.rows ?? null;
  } catch (error) {
    // A lock, a time limit, row security or a missing privilege. A lost connection fails the next query.
    if (error instanceof Error && "code" in error) return null;
    throw error;
  } finally {
    await client.query("rollback");
  }
}

/** Leaves out objects that an earlier file removes already, and columns of tables that are dropped. */
function withoutRepeated(losses: readonly DownLoss[]): DownLoss[] {
  const dropped = new Set(losses.map(({ object }) => object));
  return losses.filter(({ object }, index) => {
    if (losses.findIndex((each) => each.object === object) !== index) return false;
    const table = /^column (.*)\.[^.]*$/.exec(object)?.[1];
    return table === undefined || !dropped.has(`table ${table}`);
  });
}

function qualified(client: Client, { schema, table }: TableName): string {
  const id = client.escapeIdentifier(table);
  return schema === undefined ? id : `${client.escapeIdentifier(schema)}.${id}`;
}
