import type { Client } from "pg";
import { isNoExtensions, isOwnSchema } from "../../catalog/own-objects.ts";
import type { ConcurrentIndex } from "../concurrent-index.ts";
import type { DatabaseLeftover } from "./leftover.ts";

interface InvalidIndex {
  schema: string;
  name: string;
  table: string;
  /** Name of its table as the search path resolves it. */
  visible: string;
  /** Process ids of sessions that hold the table lock that an index build takes. */
  workers: number[];
}

/** Names that REINDEX CONCURRENTLY gives to the new index, and to the old one before it drops it. */
const nextToAnother = /_cc(new|old)\d*$/;

/**
 * Finds indexes that a killed or failed concurrent build left behind. Each slows every write and serves no query.
 *
 * @param pending the indexes that pending files build
 */
export async function findInvalidIndexes(
  client: Client,
  pending: readonly ConcurrentIndex[],
): Promise<DatabaseLeftover[]> {
  const { rows } = await client.query<InvalidIndex>(
    `select nspname as schema, c.relname as name, t.relname as "table", indrelid::regclass::text as visible,
            array(select distinct pid from pg_locks l
                   where l.locktype = 'relation' and l.relation = indrelid and l.granted and l.mode = 'ShareUpdateExclusiveLock'
                     and l.database = (select oid from pg_database where datname = current_database())) as workers
       from pg_index join pg_class c on c.oid = indexrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_class t on t.oid = indrelid
      where not (indisvalid and indisready) and c.relkind = 'i' and ${isOwnSchema("nspname")} and ${isNoExtensions("pg_class", "c.oid")}
      order by 1, 2`,
  );
  return rows.map((index) => leftover(client, index, pending));
}

function leftover(client: Client, index: InvalidIndex, pending: readonly ConcurrentIndex[]): DatabaseLeftover {
  const { schema, name, table, workers } = index;
  const id = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
  const found = `the index ${schema}.${name} on ${table} is invalid: writes update it, but no query uses it`;
  const kind = "invalid-index" as const;
  if (workers.length > 0) {
    const advice = `Session ${workers.join(", ")} is using the table and may be building the index. Check again after it has ended.`;
    return { kind, found, advice };
  }
  const drop = async (session: Client) => void (await session.query(`drop index concurrently if exists ${id}`));
  if (nextToAnother.test(name))
    return { kind, found, action: "drop it: REINDEX CONCURRENTLY left it beside the index itself", act: drop };
  if (pending.some((each) => isSame(each, index)))
    return { kind, found, action: "drop it; the next `migrate up` builds it", act: drop };
  const rebuild = async (session: Client) => void (await session.query(`reindex index concurrently ${id}`));
  return { kind, found, action: "rebuild it (REINDEX INDEX CONCURRENTLY), because no pending file does", act: rebuild };
}

function isSame({ schema, table, name }: ConcurrentIndex, index: InvalidIndex): boolean {
  if (name !== index.name || table !== index.table) return false;
  // A name without a schema means the table that the search path finds. The server prints that one without a schema.
  return schema === undefined ? !index.visible.includes(".") : schema === index.schema;
}
