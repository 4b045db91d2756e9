import { isOwnRelation, relationName } from "../../catalog/own-objects.ts";
import { examineObject, type IntegrityFinding, nothingExamined, type Subject } from "../subject.ts";

interface Sequence {
  sequence: string;
  tableId: number;
  table: string;
  column: string;
  isUnique: boolean;
  increment: string;
  cycles: boolean;
  isReadable: boolean;
}

/** Sequences that number a column: by identity or ownership, or by the column's default. */
const query = `
  select distinct ${relationName} as sequence, t.oid::int8::float8 as "tableId", format('%I.%I', tn.nspname, t.relname) as table, quote_ident(a.attname) as column,
         exists (select from pg_index i where i.indrelid = t.oid and i.indisunique and i.indnkeyatts = 1 and i.indkey[0] = a.attnum) as "isUnique",
         s.seqincrement::text as increment, s.seqcycle as cycles,
         has_schema_privilege(n.oid, 'usage') and has_sequence_privilege(c.oid, 'select') as "isReadable"
    from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
    join (select objid as sequence, refobjid as relation, refobjsubid as number from pg_depend
           where classid = 'pg_class'::regclass and refclassid = 'pg_class'::regclass and deptype in ('a', 'i') and refobjsubid > 0
          union select refobjid, adrelid, adnum from pg_depend join pg_attrdef on pg_attrdef.oid = objid
           where classid = 'pg_attrdef'::regclass and refclassid = 'pg_class'::regclass) used on used.sequence = c.oid
    join pg_class t on t.oid = used.relation join pg_namespace tn on tn.oid = t.relnamespace
    join pg_attribute a on a.attrelid = t.oid and a.attnum = used.number
   where ${isOwnRelation} and t.relkind in ('r', 'p') and not t.relispartition and a.atttypid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
   order by 1, 3, 4`;

/** Compares sequences with the columns that they number: the next number must be beyond all that are used. */
export const sequences: Subject = {
  name: "sequences",
  title: "sequences compared with their columns",
  async examine(observer, survey) {
    const result = nothingExamined();
    const tables = new Map(survey.tables.map((table) => [table.oid, table]));
    for (const each of await observer.query<Sequence>(query)) {
      const { sequence, table, column, tableId, increment, isReadable } = each;
      // A sequence that starts again at its end has no relation to the numbers that are used.
      if (each.cycles) continue;
      const hidden = tables.get(tableId)?.hidden ?? (isReadable ? null : "no right to read the sequence");
      if (hidden !== null) {
        result.unknown.push(`${sequence} of ${table}.${column}: ${hidden}`);
        continue;
      }
      const descends = increment.startsWith("-");
      await examineObject(result, survey, sequence, async () => {
        // The column first: a row that is inserted meanwhile can then only move the sequence, not overtake it.
        const [used] = await observer.query<{ last: string | null }>(
          `select ${descends ? "min" : "max"}(${column})::text as last from ${table}`,
        );
        const [state] = await observer.query<{ next: string }>(
          `select (last_value::numeric + case when is_called then ${increment} else 0 end)::text as next from ${sequence}`,
        );
        if (used?.last == null || state === undefined) return [];
        const { last } = used;
        const isBehind = descends ? isAtMost(last, state.next) : isAtMost(state.next, last);
        return isBehind ? [behind(each, last, state.next)] : [];
      });
    }
    return result;
  },
};

/** Compares two numbers as PostgreSQL writes them. Fractions of a numeric column do not matter. */
function isAtMost(a: string, b: string): boolean {
  const whole = (text: string) => BigInt(text.split(".")[0] ?? text);
  return whole(a) <= whole(b);
}

function behind({ sequence, table, column, isUnique }: Sequence, last: string, next: string): IntegrityFinding {
  return {
    code: "sequence-behind",
    level: isUnique ? "error" : "warning",
    title: "A sequence is behind its column",
    detail: `The next number of ${sequence} is ${next}, and ${table}.${column} has ${last} already${isUnique ? ": INSERTs will fail" : ""}`,
    objects: [sequence, table],
    hint: `Run: select setval('${sequence.replaceAll("'", "''")}', ${last}::bigint);`,
    count: null,
    samples: [],
  };
}
