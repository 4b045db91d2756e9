import { NotKnown, statementMark } from "../../connection/observer.ts";
import type { Check, Problem } from "../check.ts";
import { requireAllStats } from "../sessions.ts";
import { count, duration } from "../text.ts";

interface Row {
  id: string;
  calls: number;
  mean: number;
  total: number;
}

/** All slow statements together. */
interface Sums {
  statements: number;
  allCalls: number;
  allTotal: number;
}

/** Statements listed at most, and characters of a text. */
const [most, mostCharacters] = [10, 200];

export const slowStatement: Check = {
  name: "slow-statement",
  title: "A statement is slow",
  scope: "database",
  async find(observer, { slowStatementMs, slowStatementCalls }) {
    const schema = observer.facts.statementsSchema;
    if (schema === null) throw new NotKnown("the extension pg_stat_statements is not installed in this database");
    if (!observer.facts.readsAllStats) throw new NotKnown(requireAllStats);
    const rows = await observer.query<Row & Sums>(
      `select queryid::text as id, sum(calls)::float8 as calls, sum(total_exec_time)::float8 as total,
              (sum(total_exec_time) / sum(calls))::float8 as mean, (count(*) over ())::int as statements,
              (sum(sum(calls)) over ())::float8 as "allCalls", (sum(sum(total_exec_time)) over ())::float8 as "allTotal"
         from ${schema}.pg_stat_statements(false) s join pg_database d on d.oid = s.dbid
        where d.datname = current_database() and queryid is not null and calls > 0
        group by queryid having sum(total_exec_time) / sum(calls) >= $1 and sum(calls) >= $2
        order by 3 desc limit $3`,
      [slowStatementMs, slowStatementCalls, most],
    );
    if (rows.length === 0) return { problems: [] };
    const texts = await observer.query<{ id: string; text: string }>(
      `select distinct on (queryid) queryid::text as id, left(regexp_replace(query, '\\s+', ' ', 'g'), $2) as text
         from ${schema}.pg_stat_statements where queryid = any ($1::text[]::bigint[])`,
      [rows.map(({ id }) => id), mostCharacters],
    );
    const textOf = new Map(texts.map(({ id, text }) => [id, text]));
    const problems = rows
      .filter(({ id }) => textOf.get(id)?.startsWith(statementMark) !== true)
      .map(({ id, calls, mean, total }) => ({
        object: id,
        level: "warning" as const,
        detail: `Statement ${id} takes ${count(mean)} ms on average (${count(calls)} calls, ${duration(total / 1_000)} in all): ${textOf.get(id) ?? "its text is not known"}`,
        hint: "Run EXPLAIN (ANALYZE, BUFFERS) on it.",
      }));
    return { problems: [...problems, ...others(rows)] };
  },
};

/** Returns a problem for the slow statements that are not listed, so that the listed ones are not taken for all. */
function others(rows: readonly (Row & Sums)[]): Problem[] {
  const [first] = rows;
  const left = (first?.statements ?? 0) - rows.length;
  if (first === undefined || left <= 0) return [];
  const sum = (part: (row: Row) => number) => rows.reduce((all, row) => all + part(row), 0);
  const [calls, total] = [first.allCalls - sum((row) => row.calls), first.allTotal - sum((row) => row.total)];
  return [
    {
      object: "others",
      level: "warning",
      detail: `${count(left)} other statements are slow, too (${count(calls)} calls, ${duration(total / 1_000)} in all).`,
      hint: "They are listed once those above are faster.",
    },
  ];
}
