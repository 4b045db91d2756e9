import type { Observer } from "../../connection/observer.ts";
import {
  counted,
  examineObject,
  type IntegrityFinding,
  nothingExamined,
  type Sample,
  type Subject,
} from "../subject.ts";
import { sampleOf, type TableFacts } from "../tables.ts";

/** A unique index or an exclusion constraint. */
interface Rule {
  tableId: number;
  /** Name of the index, qualified and quoted. */
  index: string;
  isExclusion: boolean;
  nullsDistinct: boolean;
  predicate: string | null;
  keys: { expression: string; operator: string | null; hasOrdinaryEquality: boolean }[];
}

/**
 * Unique indexes and exclusion constraints of tables that hold rows. `GROUP BY` compares as the default operator class
 * of a type does, and so do the pattern classes of texts.
 */
const query = `
  select i.indrelid::int8::float8 as "tableId", format('%I.%I', n.nspname, c.relname) as index, indisexclusion as "isExclusion",
         not coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) as "nullsDistinct",
         pg_get_expr(indpred, indrelid) as predicate,
         (select json_agg(json_build_object(
                   'expression', format('(%s)%s', pg_get_indexdef(indexrelid, position, false),
                     case when l.oid is null then '' else format(' collate %I.%I', l_n.nspname, l.collname) end),
                   'operator', case when o.oid is not null then format('operator(%I.%s)', o_n.nspname, o.oprname) end,
                   'hasOrdinaryEquality', oc.opcdefault or oc.opcname in ('text_pattern_ops', 'varchar_pattern_ops', 'bpchar_pattern_ops'))
                 order by position)
            from generate_series(1, indnkeyatts::int) position
            join pg_opclass oc on oc.oid = indclass[position - 1]
            left join pg_collation l on l.oid = indcollation[position - 1] left join pg_namespace l_n on l_n.oid = l.collnamespace
            left join pg_operator o on o.oid = k.conexclop[position] left join pg_namespace o_n on o_n.oid = o.oprnamespace) as keys
    from pg_index i join pg_class c on c.oid = indexrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_constraint k on k.conindid = indexrelid and k.conrelid = indrelid and k.contype = 'x'
   where indrelid = any ($1::oid[]) and (indisunique or indisexclusion) and indisvalid and c.relkind = 'i'
   order by 2`;

/** Looks for rows that a unique index or an exclusion constraint should not have let in. Reads the tables only. */
export const unique: Subject = {
  name: "unique",
  title: "unique keys and exclusion constraints compared",
  async examine(observer, survey) {
    const result = nothingExamined();
    const tables = new Map(survey.tables.filter(({ kind }) => kind !== "p").map((table) => [table.oid, table]));
    for (const rule of await observer.query<Rule>(query, [[...tables.keys()]])) {
      const table = tables.get(rule.tableId);
      if (table === undefined) continue;
      const name = `${rule.index} on ${table.table}`;
      if (table.hidden !== null) result.unknown.push(`${name}: ${table.hidden}`);
      else if (!rule.isExclusion && rule.keys.some(({ hasOrdinaryEquality }) => !hasOrdinaryEquality))
        result.unknown.push(`${name}: its operator class has an equality of its own`);
      else
        await examineObject(result, survey, name, () =>
          (rule.isExclusion ? overlaps : duplicates)(observer, rule, table, survey.sampleLimit),
        );
    }
    return result;
  },
};

async function duplicates(
  observer: Observer,
  rule: Rule,
  table: TableFacts,
  limit: number,
): Promise<IntegrityFinding[]> {
  const keys = rule.keys.map(({ expression }) => expression).join(", ");
  const rows = `only ${table.table} ${conditions(rule)}`;
  const [row] = await observer.query<{ count: number }>(
    `select coalesce(sum(same), 0)::float8 as count from (select count(*) as same from ${rows} group by ${keys}) grouped where same > 1`,
  );
  const count = row?.count ?? 0;
  if (count === 0) return [];
  const samples = await observer.query<{ sample: Sample }>(
    `select sample from (select ${sampleOf(table, undefined, true)} as sample, count(*) over (partition by ${keys}) as same from ${rows}) counted
      where same > 1 limit ${limit}`,
  );
  return [
    {
      code: "duplicate-key",
      level: "error",
      title: "Rows have the same unique key",
      detail: `${counted(count, "row")} of ${table.table} share a key of the unique index ${rule.index}, which does not see that: it is damaged, or was sorted by another version of the collation`,
      objects: [table.table, rule.index],
      hint: `Correct or delete the duplicates, then run: reindex index concurrently ${rule.index};`,
      count,
      samples: samples.map(({ sample }) => sample),
    },
  ];
}

async function overlaps(observer: Observer, rule: Rule, table: TableFacts, limit: number): Promise<IntegrityFinding[]> {
  const columns = rule.keys.map(({ expression }, index) => `${expression} as k${index}`);
  const rows = `(select ctid as place, ${sampleOf(table, undefined, true)} as sample, ${columns.join(", ")} from only ${table.table} ${conditions(rule)})`;
  const equal = rule.keys.map(({ operator }, index) => `a.k${index} ${operator} b.k${index}`);
  const found = await observer.query<{ sample: Sample; count: number }>(
    `select a.sample, (count(*) over ())::float8 as count from ${rows} a
      where exists (select from ${rows} b where a.place <> b.place and ${equal.join(" and ")}) limit ${limit}`,
  );
  const count = found[0]?.count ?? 0;
  if (count === 0) return [];
  return [
    {
      code: "excluded-row",
      level: "error",
      title: "Rows exclude each other",
      detail: `${counted(count, "row")} of ${table.table} break the exclusion constraint ${rule.index}`,
      objects: [table.table, rule.index],
      hint: "Correct or delete the rows, then rebuild the index with REINDEX.",
      count,
      samples: found.map(({ sample }) => sample),
    },
  ];
}

/** Builds the WHERE clause of a rule: its predicate, and without keys that equal nothing because they are null. */
function conditions({ predicate, isExclusion, nullsDistinct, keys }: Rule): string {
  const present = isExclusion || nullsDistinct ? keys.map(({ expression }) => `${expression} is not null`) : [];
  const all = [...(predicate === null ? [] : [`(${predicate})`]), ...present];
  return all.length === 0 ? "" : `where ${all.join(" and ")}`;
}
