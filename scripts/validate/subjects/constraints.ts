import type { Observer } from "../../connection/observer.ts";
import {
  counted,
  examineObject,
  type IntegrityFinding,
  nothingExamined,
  type Sample,
  type Subject,
} from "../subject.ts";
import { from, sampleOf, type TableFacts } from "../tables.ts";
import { unvalidated } from "./foreign-keys.ts";

/** A condition that every row of a table must satisfy. */
interface Condition {
  tableId: number;
  /** Name for messages, quoted. */
  name: string;
  definition: string;
  /** SQL that is true for a row that breaks it. */
  broken: string;
  isValidated: boolean;
  /** False for a copy of the constraint in a partition or a child table. */
  isOriginal: boolean;
}

/**
 * Conditions of tables: checks, NOT NULL, and the bounds of partitions. `num_nulls` reads the value: the planner takes
 * `IS NULL` on a column with NOT NULL for false.
 */
const query = `
  select conrelid::int8::float8 as "tableId", quote_ident(conname) as name, pg_get_constraintdef(oid) as definition,
         format('not (%s)', pg_get_expr(conbin, conrelid)) as broken, convalidated as "isValidated", coninhcount = 0 as "isOriginal"
    from pg_constraint k where contype = 'c' and conrelid = any ($1::oid[]) and coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
  union all
  select attrelid::int8::float8, format('NOT NULL of %I', attname), format('%I NOT NULL', attname),
         format('num_nulls(%I) > 0', attname),
         not exists (select from pg_constraint k where k.conrelid = attrelid and k.contype = 'n' and k.conkey[1] = attnum and not convalidated),
         true
    from pg_attribute where attrelid = any ($1::oid[]) and attnotnull and attnum > 0 and not attisdropped
  union all
  select oid::int8::float8, 'the bound of the partition', pg_get_expr(relpartbound, oid),
         format('(%s) is not true', pg_get_partition_constraintdef(oid)), true, true
    from pg_class where oid = any ($1::oid[]) and relispartition and relkind = 'r' and pg_get_partition_constraintdef(oid) is not null`;

const unvalidatedDomains = `
  select format('%I.%I', n.nspname, t.typname) as domain, quote_ident(k.conname) as name
    from pg_constraint k join pg_type t on t.oid = contypid join pg_namespace n on n.oid = t.typnamespace
   where not convalidated order by 1, 2`;

/** Tries the conditions of every table on its rows, also those that the server holds for validated. */
export const constraints: Subject = {
  name: "constraints",
  title: "checks, NOT NULL and partition bounds tried",
  async examine(observer, survey) {
    const result = nothingExamined();
    const ids = survey.tables.map(({ oid }) => oid);
    const byTable = Map.groupBy(await observer.query<Condition>(query, [ids]), ({ tableId }) => tableId);
    for (const table of survey.tables.filter(({ kind }) => kind !== "m")) {
      const conditions = byTable.get(table.oid) ?? [];
      if (conditions.length === 0) continue;
      if (table.kind === "p") result.findings.push(...neverValidated(table, conditions, new Set()));
      else if (table.hidden !== null)
        result.unknown.push(`${counted(conditions.length, "condition")} of ${table.table}: ${table.hidden}`);
      else {
        const before = result.examined;
        await examineObject(result, survey, table.table, () => tryAll(observer, table, conditions, survey.sampleLimit));
        if (result.examined > before) result.examined += conditions.length - 1;
      }
    }
    for (const { domain, name } of await observer.query<{ domain: string; name: string }>(unvalidatedDomains))
      result.unknown.push(
        `${name} of the domain ${domain}: it was added with NOT VALID, and its columns are not tried`,
      );
    return result;
  },
};

/** Tries all conditions of a table in one scan, then looks for samples of those that are broken. */
async function tryAll(
  observer: Observer,
  table: TableFacts,
  conditions: readonly Condition[],
  limit: number,
): Promise<IntegrityFinding[]> {
  const counts = conditions.map(({ broken }, index) => `(count(*) filter (where ${broken}))::float8 as "${index}"`);
  const [row] = await observer.query<Record<string, number>>(`select ${counts.join(", ")} from ${from(table)}`);
  const violated = new Map(conditions.flatMap((each, index) => (row?.[index] ? [[each, row[index]] as const] : [])));
  const findings: IntegrityFinding[] = [];
  for (const [condition, count] of violated) {
    const found = await observer.query<{ sample: Sample }>(
      `select ${sampleOf(table)} as sample from ${from(table)} where ${condition.broken} limit ${limit}`,
    );
    findings.push({
      code: "violated-constraint",
      level: "error",
      title: "Rows break a constraint of their table",
      detail: `${counted(count, "row")} of ${table.table} ${count === 1 ? "breaks" : "break"} ${condition.name}: ${condition.definition}`,
      objects: [table.table],
      hint: "Correct or delete the rows. The server accepts any other change of them only if they satisfy the constraint.",
      count,
      samples: found.map(({ sample }) => sample),
    });
  }
  return [...findings, ...neverValidated(table, conditions, violated)];
}

function neverValidated(
  { table, kind }: TableFacts,
  conditions: readonly Condition[],
  violated: { has(condition: Condition): boolean },
): IntegrityFinding[] {
  return conditions
    .filter((each) => !each.isValidated && each.isOriginal && !violated.has(each))
    .map(({ name, definition }) => unvalidated(table, name, definition, kind !== "p"));
}
