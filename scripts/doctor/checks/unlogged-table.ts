import type { Check } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, recordedBytes, relationName } from "../own-relations.ts";
import { bytes } from "../text.ts";

const query = `
  select ${relationName} as table, ${recordedBytes} as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where ${isOwnRelation} and c.relkind = 'r' and c.relpersistence = 'u' order by 1`;

export const unloggedTable: Check = {
  name: "unlogged-table",
  title: "A table is not in the WAL",
  scope: "database",
  async find(observer) {
    const rows = await observer.query<{ table: string; bytes: number }>(query);
    const problems = rows.map(({ table, bytes: size }) => ({
      object: table,
      level: "warning" as const,
      detail: `${table} (${bytes(size)}) is unlogged: a crash empties it, and it is not in backups made from the WAL or on standbys.`,
      fix: fix(
        [`alter table ${table} set logged`],
        `ACCESS EXCLUSIVE on ${table}: blocks reads and writes while the table is rewritten.`,
        [`alter table ${table} set unlogged`],
      ),
    }));
    return { problems };
  },
};
