import type { Check, Problem } from "../check.ts";
import { type DroppedIndex, dropIndex } from "../drop-index.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";

interface Row extends DroppedIndex {
  isRemainder: boolean;
}

/** An index that is being built is invalid, too. A build of another role is visible without its index. */
const query = `
  select ${relationName} as index, format('%I.%I', n.nspname, t.relname) as table, pg_get_indexdef(c.oid) as definition,
         c.relkind = 'I' as "isPartitioned", c.relname ~ '_cc(new|old)[0-9]*$' as "isRemainder"
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class t on t.oid = i.indrelid
   where ${isOwnRelation} and not i.indisvalid
     and not exists (select from pg_stat_progress_create_index where index_relid = c.oid or relid = t.oid)
   order by 1`;

const hiddenBuilds = `select count(*)::int as count from pg_stat_progress_create_index
  where datname = current_database() and relid is null`;

export const invalidIndex: Check = {
  name: "invalid-index",
  title: "An index is invalid",
  scope: "database",
  async find(observer) {
    // Before the indexes are read: a build that ends in between leaves a valid index.
    const [hidden] = await observer.query<{ count: number }>(hiddenBuilds);
    const rows = await observer.query<Row>(query);
    if (rows.length > 0 && hidden !== undefined && hidden.count > 0) {
      const indexes = rows.map(({ index }) => index).join(", ");
      const unknown = [`sessions of other roles build ${hidden.count} indexes, perhaps these invalid ones: ${indexes}`];
      return { problems: [], unknown };
    }
    return { problems: rows.map(problemOf) };
  },
};

function problemOf(row: Row): Problem {
  const { index, table, isPartitioned, isRemainder } = row;
  const found = { object: index, level: "error" as const, objects: [index, table] };
  if (isPartitioned)
    return {
      ...found,
      level: "warning",
      detail: `The index ${index} of the partitioned table ${table} is invalid: not every partition has an index attached to it.`,
      hint: `For each partition without one: create index concurrently … on <partition> …; then alter index ${index} attach partition <its index>.`,
    };
  const detail = `No statement uses the index ${index} of ${table}, but every write maintains it: an earlier build failed or was interrupted.`;
  if (isRemainder)
    return {
      ...found,
      detail: `${detail} It is a remainder of REINDEX CONCURRENTLY.`,
      fix: dropIndex(row),
    };
  return {
    ...found,
    detail,
    hint: "If the build of a unique index fails again, remove the duplicate rows that its error names.",
    fix: fix([`reindex index concurrently ${index}`], "SHARE UPDATE EXCLUSIVE: blocks no reads or writes."),
  };
}
