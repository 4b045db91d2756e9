import { isOwnRelation, relationName } from "../../catalog/own-objects.ts";
import { nothingExamined, type Subject } from "../subject.ts";

interface Index {
  index: string;
  table: string;
  isValid: boolean;
  isPartitioned: boolean;
  isBuilt: boolean;
}

/** An index that is being built is invalid, too. A build of another role is visible without its index. */
const query = `
  select ${relationName} as index, format('%I.%I', n.nspname, t.relname) as table, indisvalid and indisready as "isValid",
         c.relkind = 'I' as "isPartitioned",
         exists (select from pg_stat_progress_create_index where index_relid = c.oid or relid = t.oid) as "isBuilt"
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class t on t.oid = i.indrelid
   where ${isOwnRelation} order by 1`;

const hiddenBuilds = `select count(*)::int as count from pg_stat_progress_create_index
  where datname = current_database() and relid is null`;

/** Looks for indexes whose build failed or was interrupted. */
export const indexes: Subject = {
  name: "indexes",
  title: "indexes valid",
  async examine(observer) {
    const result = nothingExamined();
    // Before the indexes are read: a build that ends in between leaves a valid index.
    const [builds] = await observer.query<{ count: number }>(hiddenBuilds);
    const isHidden = (builds?.count ?? 0) > 0;
    for (const { index, table, isValid, isPartitioned, isBuilt } of await observer.query<Index>(query)) {
      if (isBuilt && !isValid) result.unknown.push(`${index} on ${table}: it is being built`);
      else if (isHidden && !isValid) result.unknown.push(`${index} on ${table}: perhaps another role is building it`);
      else result.examined++;
      if (isValid || isBuilt || isHidden) continue;
      result.findings.push({
        code: "invalid-index",
        level: "error",
        title: "An index is invalid",
        detail: isPartitioned
          ? `The index ${index} of the partitioned table ${table} is invalid: not every partition has an index attached to it`
          : `The index ${index} on ${table} is invalid: its build failed or was interrupted, and no query uses it`,
        objects: [index, table],
        hint: isPartitioned
          ? `Create the missing indexes of its partitions, and attach each with: alter index ${index} attach partition …;`
          : `Run: reindex index concurrently ${index};`,
        count: null,
        samples: [],
      });
    }
    return result;
  },
};
