import type { JobSpec, PartitionSpec } from "./job-spec.ts";

/** Names of the jobs that `partitions` adds to those of a database. */
export const partitionJobNames = { create: "create partitions", drop: "drop old partitions" } as const;

/** Returns the jobs that create partitions in advance and, with `keepMonths`, drop old ones. */
export function partitionJobs({ function: name, monthsAhead, keepMonths }: PartitionSpec): JobSpec[] {
  const [schema = "", routine = ""] = name.split(".");
  const create = `select "${schema}"."${routine}"(${monthsAhead}, false)`;
  return [
    { name: partitionJobNames.create, schedule: "11 3 * * *", command: create, optional: false },
    ...(keepMonths === undefined
      ? []
      : [
          {
            ...{ name: partitionJobNames.drop, schedule: "41 3 * * *", optional: false },
            command: dropStatement(schema, keepMonths),
          },
        ]),
  ];
}

/**
 * Returns the statement that drops partitions whose upper bound is at most the beginning of the oldest month to keep.
 * By their bound, they have no newer row. Default partitions and those without an upper bound stay. It gives up if a
 * table is not free within 10 s, and then drops none. The server's log has a warning for each partition.
 *
 * @param schema letters, digits and `_`
 */
function dropStatement(schema: string, keepMonths: number): string {
  return `do $pgroundwork$
declare
  oldest timestamptz;
  found record;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('lock_timeout', '10s', true),
          pg_catalog.set_config('TimeZone', 'UTC', true);
  oldest := date_trunc('month', now()) - make_interval(months => ${keepMonths});
  for found in
    select bounded.partition, bounded.bound
      from (select child.oid::regclass::text as partition,
                   substring(pg_get_expr(child.relpartbound, child.oid) from ' TO \\(''([^'']+)''\\)')::timestamptz as bound
              from pg_partitioned_table as partitioned
              join pg_class as parent on parent.oid = partitioned.partrelid
              join pg_attribute as key on key.attrelid = parent.oid and key.attnum = partitioned.partattrs[0]
              join pg_inherits on inhparent = parent.oid
              join pg_class as child on child.oid = inhrelid
             where parent.relnamespace = to_regnamespace('${schema}') and pg_get_userbyid(parent.relowner) = current_user
               and partitioned.partstrat = 'r' and partitioned.partnatts = 1
               and key.atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)) as bounded
     where bounded.bound <= oldest
     order by bounded.bound, bounded.partition
  loop
    execute format('drop table %s', found.partition);
    raise warning 'dropped partition %, whose rows are older than %', found.partition, found.bound;
  end loop;
end
$pgroundwork$`;
}
