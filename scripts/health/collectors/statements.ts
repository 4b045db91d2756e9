import { NotKnown, statementMark } from "../../connection/observer.ts";
import type { Collector } from "../collector.ts";

/** A statement of pg_stat_statements, without its text. */
export interface StatementValues {
  id: string;
  calls: number;
  totalMs: number;
  meanMs: number;
}

/** Statements in the observed databases. */
export interface StatementsValues {
  calls: number;
  totalMs: number;
  /** Statements whose mean time is above the threshold. */
  slow: number;
  /** Statements with the largest total time. */
  top: StatementValues[];
  /** Statements that are not in `top`, all together. */
  others: { statements: number; calls: number; totalMs: number };
  /** Statements whose numbers the role sees without knowing them: those of other roles. */
  hidden: number;
  /** Last reset of these counters. */
  countedSince: Date | null;
}

/** Statements in `top`, which bounds the number of series. */
const most = 10;

export const statements: Collector<StatementsValues> = {
  name: "statements",
  needs: "pg_read_all_stats",
  async collect(observer, { slowQueryMs, databases }) {
    const schema = observer.facts.statementsSchema;
    if (schema === null) throw new NotKnown("the extension pg_stat_statements is not installed in this database");
    // Texts are read to leave out the kit's own statements, and are not kept.
    const names = databases?.map(({ connection }) => connection.database) ?? [observer.facts.database];
    const from = `${schema}.pg_stat_statements s where s.dbid in (select oid from pg_database where datname = any ($1))
      and (query is null or not query ^@ '${statementMark}')`;
    const [sums] = await observer.query<Omit<StatementsValues, "top" | "others"> & { statements: number }>(
      `select coalesce(sum(calls), 0)::float8 as calls, coalesce(sum(total_exec_time), 0)::float8 as "totalMs",
              count(*) filter (where queryid is not null and calls > 0 and mean_exec_time >= $2)::int as slow,
              count(*) filter (where queryid is null)::int as hidden,
              (count(distinct queryid) + count(*) filter (where queryid is null))::int as statements,
              (select stats_reset from ${schema}.pg_stat_statements_info) as "countedSince"
         from ${from}`,
      [names, slowQueryMs],
    );
    if (sums === undefined) throw new NotKnown("the server returned no row");
    const top = await observer.query<StatementValues>(
      `select queryid::text as id, sum(calls)::float8 as calls, sum(total_exec_time)::float8 as "totalMs",
              (sum(total_exec_time) / greatest(sum(calls), 1))::float8 as "meanMs"
         from ${from} and queryid is not null group by queryid order by 3 desc limit ${most}`,
      [names],
    );
    const { statements: count, ...values } = sums;
    return { ...values, top, others: othersOf({ ...values, statements: count }, top) };
  },
};

/** Returns what is left of the sums. Statements can run between the two queries, and more of them than before. */
function othersOf(all: StatementsValues["others"], top: readonly StatementValues[]): StatementsValues["others"] {
  const left = (sum: number, part: (statement: StatementValues) => number) =>
    Math.max(
      0,
      top.reduce((rest, statement) => rest - part(statement), sum),
    );
  return {
    statements: left(all.statements, () => 1),
    calls: left(all.calls, ({ calls }) => calls),
    totalMs: left(all.totalMs, ({ totalMs }) => totalMs),
  };
}
