import { isOwnRelation, relationName } from "../../catalog/own-objects.ts";
import {
  counted,
  examineObject,
  type IntegrityFinding,
  nothingExamined,
  type Sample,
  type Subject,
} from "../subject.ts";
import { from, sampleOf, type TableFacts } from "../tables.ts";

interface ForeignKey {
  constraint: string;
  definition: string;
  childId: number;
  parentId: number;
  child: string;
  parent: string;
  isValidated: boolean;
  isFull: boolean;
  /** False if it is declared NOT ENFORCED (PostgreSQL 18). */
  isEnforced: boolean;
  /** True if it compares periods (PostgreSQL 18). */
  hasPeriod: boolean;
  pairs: { child: string; parent: string; operator: string; collation: string }[];
}

/** Foreign keys with the operators by which the server itself compares their columns. */
const query = `
  select quote_ident(conname) as constraint, pg_get_constraintdef(k.oid) as definition,
         c.oid::int8::float8 as "childId", p.oid::int8::float8 as "parentId", ${relationName} as child,
         format('%I.%I', pn.nspname, p.relname) as parent, convalidated as "isValidated", confmatchtype = 'f' as "isFull",
         coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) as "isEnforced",
         coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) as "hasPeriod",
         (select json_agg(json_build_object('child', quote_ident(ca.attname), 'parent', quote_ident(pa.attname),
                   'operator', format('operator(%I.%s)', o_n.nspname, o.oprname),
                   'collation', case when ca.attcollation <> pa.attcollation and l.oid is not null
                                     then format(' collate %I.%I', l_n.nspname, l.collname) else '' end) order by position)
            from unnest(conkey, confkey, conpfeqop) with ordinality u(child, parent, operator, position)
            join pg_attribute ca on ca.attrelid = conrelid and ca.attnum = u.child
            join pg_attribute pa on pa.attrelid = confrelid and pa.attnum = u.parent
            join pg_operator o on o.oid = u.operator join pg_namespace o_n on o_n.oid = o.oprnamespace
            left join pg_collation l on l.oid = pa.attcollation left join pg_namespace l_n on l_n.oid = l.collnamespace) as pairs
    from pg_constraint k join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class p on p.oid = confrelid join pg_namespace pn on pn.oid = p.relnamespace
   where ${isOwnRelation} and contype = 'f' and conparentid = 0
   order by 5, 1`;

/** Looks for rows whose foreign key has no row to refer to, also of constraints that the server holds for validated. */
export const foreignKeys: Subject = {
  name: "foreign-keys",
  title: "foreign keys compared",
  async examine(observer, survey) {
    const result = nothingExamined();
    const tables = new Map(survey.tables.map((table) => [table.oid, table]));
    for (const key of await observer.query<ForeignKey>(query)) {
      const name = `${key.constraint} of ${key.child}`;
      const [child, parent] = [tables.get(key.childId), tables.get(key.parentId)];
      if (!key.isEnforced) continue;
      if (key.hasPeriod) result.unknown.push(`${name}: foreign keys of periods are not examined`);
      else if (child === undefined || parent === undefined || child.hidden !== null || parent.hidden !== null)
        result.unknown.push(`${name}: ${hiddenReason(key, child, parent)}`);
      else
        await examineObject(result, survey, name, async () => {
          const found = await observer.query<{ sample: Sample; count: number }>(
            orphans(key, child, parent, survey.sampleLimit),
          );
          return findingsOf(key, found);
        });
    }
    return result;
  },
};

function hiddenReason(key: ForeignKey, child: TableFacts | undefined, parent: TableFacts | undefined): string {
  if (child?.hidden) return `${key.child}: ${child.hidden}`;
  if (parent?.hidden) return `${key.parent}: ${parent.hidden}`;
  return `${parent === undefined ? key.parent : key.child} is not a table of migrations`;
}

/** Builds the query for orphans as the server does when it validates: an outer join that finds no partner. */
function orphans(key: ForeignKey, child: TableFacts, parent: TableFacts, limit: number): string {
  const equal = key.pairs.map(
    ({ child: column, parent: referenced, operator, collation }) =>
      `parent.${referenced}${collation} ${operator} child.${column}`,
  );
  const present = key.pairs.map(({ child: column }) => `child.${column} is not null`);
  const first = key.pairs[0]?.parent ?? "";
  return `select ${sampleOf(child, "child")} as sample, (count(*) over ())::float8 as count
    from ${from(child)} child left join ${from(parent)} parent on ${equal.join(" and ")}
   where parent.${first} is null and (${present.join(key.isFull ? " or " : " and ")}) limit ${limit}`;
}

function findingsOf(key: ForeignKey, found: { sample: Sample; count: number }[]): IntegrityFinding[] {
  const { constraint, child, parent, definition } = key;
  const count = found[0]?.count ?? 0;
  if (count > 0)
    return [
      {
        code: "orphaned-row",
        level: "error",
        title: "Rows refer to rows that do not exist",
        detail: `${counted(count, "row")} of ${child} ${count === 1 ? "refers" : "refer"} to no row of ${parent}: ${constraint}, ${definition}`,
        objects: [child, parent],
        hint: "Insert the missing rows, or correct or delete the rows that refer to them.",
        count,
        samples: found.map(({ sample }) => sample),
      },
    ];
  return key.isValidated ? [] : [unvalidated(child, constraint, definition)];
}

/**
 * Returns the finding of a constraint that was added with NOT VALID.
 *
 * @param holds true if all rows were tried and satisfy it
 */
export function unvalidated(table: string, constraint: string, definition: string, holds = true): IntegrityFinding {
  const tried = holds ? `All rows of ${table} satisfy ${constraint}, but it` : `${constraint} of ${table}`;
  return {
    code: "unvalidated-constraint",
    level: "warning",
    title: "A constraint was never validated",
    detail: `${tried} was added with NOT VALID: ${definition}`,
    objects: [table],
    hint: `Run: alter table ${table} validate constraint ${constraint};`,
    count: null,
    samples: [],
  };
}
