import { NotKnown, type Observer, statementMark } from "../../connection/observer.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";
import { requireAllStats } from "../sessions.ts";

/** A statement of pg_stat_statements, with its text. */
export interface UsedStatement {
  id: string;
  text: string;
  calls: number;
  totalMs: number;
}

/** Size of a table, materialized view or index, as the server recorded it. Names are qualified and quoted. */
export interface RelationSize {
  name: string;
  /** -1 if it was never vacuumed or analyzed. */
  rows: number;
  pages: number;
  visiblePages: number;
  /** Rows that were inserted, updated and deleted since the server counts. */
  writes: number;
}

/** Numbers of a column that contain no value of it. */
export interface ColumnNumbers {
  table: string;
  column: string;
  nullShare: number;
  widthBytes: number;
  /** Number of distinct values; below 0, the negative share of rows. */
  distinct: number;
}

/** Use of a live database, and the numbers by which its planner decides. */
export interface LiveUse {
  statements: UsedStatement[];
  /** Time since which statements are counted; null if the server does not say. */
  countedSince: Date | null;
  relations: RelationSize[];
  /** Empty if the tables were never analyzed, or the role may not read them. */
  columns: ColumnNumbers[];
  /** Planner settings, in their base units. */
  settings: { name: string; value: string }[];
}

/** Statements that are read: some of them are no queries. */
const most = 60;
/** Longest text in characters of a statement that is examined. */
const mostCharacters = 50_000;

/**
 * Reads the most expensive statements of a database, the sizes of its relations and the planner's settings.
 *
 * @throws NotKnown if the role cannot see all statements
 */
export async function readLiveUse(observer: Observer): Promise<LiveUse> {
  const schema = observer.facts.statementsSchema;
  if (schema === null) throw new NotKnown("the extension pg_stat_statements is not installed in this database");
  if (!observer.facts.readsAllStats) throw new NotKnown(requireAllStats);
  const statements = await observer.query<UsedStatement>(
    `select queryid::text as id, min(query) as text, sum(calls)::float8 as calls, sum(total_exec_time)::float8 as "totalMs"
       from ${schema}.pg_stat_statements s join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and queryid is not null and calls > 0 and length(query) <= $1
        and not query ^@ '${statementMark}'
      group by queryid order by 4 desc limit $2`,
    [mostCharacters, most],
  );
  const [counted] = await observer.query<{ since: Date | null }>(
    `select stats_reset as since from ${schema}.pg_stat_statements_info`,
  );
  const relations = await observer.query<RelationSize>(
    `select ${relationName} as name, c.reltuples::float8 as rows, c.relpages as pages, c.relallvisible as "visiblePages",
            (pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid))::float8 as writes
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where ${isOwnRelation} and c.relkind in ('r', 'm', 'p', 'i')`,
  );
  const columns = await observer.query<ColumnNumbers>(
    `select format('%I.%I', schemaname, tablename) as table, attname::text as column, null_frac as "nullShare",
            avg_width as "widthBytes", n_distinct as distinct
       from pg_stats where not inherited and schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const settings = await observer.query<{ name: string; value: string }>(
    `select name, setting as value from pg_settings
      where category = 'Query Tuning / Planner Cost Constants' or name in ('work_mem', 'hash_mem_multiplier', 'jit', 'max_parallel_workers_per_gather')`,
  );
  return { statements, countedSince: counted?.since ?? null, relations, columns, settings };
}
