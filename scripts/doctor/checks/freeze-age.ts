import type { Check, Problem } from "../check.ts";
import { fix } from "../fix.ts";
import { count } from "../text.ts";

interface Row {
  database: string;
  acceptsConnections: boolean;
  age: number;
  freezeAge: number;
  tables: string[];
}

/** The oldest tables of this database are named; those of other databases are visible only there. */
const query = `
  select datname::text as database, datallowconn as "acceptsConnections",
         greatest(age(datfrozenxid), mxid_age(datminmxid))::float8 as age,
         current_setting('autovacuum_freeze_max_age')::float8 as "freezeAge",
         case when datname = current_database() then array(
           select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'm', 't') and greatest(age(c.relfrozenxid), mxid_age(c.relminmxid)) >= $1
              and n.nspname <> 'pg_toast' and c.relpersistence <> 't'
            order by age(c.relfrozenxid) desc limit 10)
         else '{}' end as tables
    from pg_database
   order by age desc`;

const freeze = fix(
  ["vacuum (freeze)"],
  "SHARE UPDATE EXCLUSIVE on each table: blocks no reads or writes. It reads and writes much.",
);

export const freezeAge: Check = {
  name: "freeze-age",
  title: "Old rows are not frozen in time",
  scope: "server",
  async find(observer, { freezeWarningAge, freezeErrorAge }) {
    const [settings] = await observer.query<{ age: number }>(
      "select current_setting('autovacuum_freeze_max_age')::float8 as age",
    );
    const limit = freezeWarningAge ?? 1.25 * (settings?.age ?? 200_000_000);
    const rows = await observer.query<Row>(query, [limit]);
    const problems = rows
      .filter(({ age }) => age >= limit)
      .map(
        ({ database, acceptsConnections, age, freezeAge: maximum, tables }): Problem => ({
          object: database,
          level: age >= freezeErrorAge ? "error" : "warning",
          detail: `The oldest transaction id in database ${database} is ${count(age)} transactions old; autovacuum should have frozen it at ${count(maximum)}. At 2,000,000,000 the server refuses all writes.`,
          objects: [database, ...tables],
          hint: "Look for what prevents vacuum: long transactions, prepared transactions, replication slots, a standby with hot_standby_feedback.",
          ...(acceptsConnections ? { fix: { ...freeze, database } } : {}),
        }),
      );
    return { problems };
  },
};
