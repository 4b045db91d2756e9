import { NotKnown, type Observer } from "../../connection/observer.ts";
import type { Answer, Check, Problem } from "../check.ts";
import { fix } from "../fix.ts";
import { isOwnRelation, relationName } from "../own-relations.ts";
import { count, percent } from "../text.ts";
import type { Thresholds } from "../thresholds.ts";

interface SequenceRow {
  sequence: string;
  isReadable: boolean;
  last: number | null;
  /** Furthest number that the sequence and its column allow. */
  limit: number;
  start: number;
  type: string;
  /** Column that the sequence belongs to; null if there is none. */
  table: string | null;
  column: string | null;
  columnType: string | null;
}

/** A sequence that starts again at its end never runs out. Its column is the limit if its type is smaller. */
const sequences = `
  select ${relationName} as sequence, (has_sequence_privilege(c.oid, 'select') or has_sequence_privilege(c.oid, 'usage')) as "isReadable",
         p.last_value::float8 as last, s.seqstart::float8 as start, s.seqtypid::regtype::text as type,
         case when seqincrement > 0 then least(seqmax::float8, upper) else greatest(seqmin::float8, -upper - 1) end as limit,
         case when t.oid is not null then format('%I.%I', tn.nspname, t.relname) end as table, quote_ident(a.attname) as column, format_type(a.atttypid, null) as "columnType"
    from pg_sequence s join pg_class c on c.oid = seqrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_sequences p on p.schemaname = n.nspname and p.sequencename = c.relname
    left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
         and d.deptype in ('a', 'i') and d.refobjsubid > 0
    left join pg_class t on t.oid = d.refobjid left join pg_namespace tn on tn.oid = t.relnamespace
    left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    cross join lateral (select case a.atttypid when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647 else 9223372036854775807 end::float8 as upper) width
   where ${isOwnRelation} and not seqcycle
   order by 1`;

interface KeyRow {
  table: string;
  column: string;
  type: string;
  isReadable: boolean;
}

/** Integer columns that lead a primary key and have no sequence: applications choose their numbers. */
const keys = `
  select ${relationName} as table, format('%I', attname) as column, format_type(atttypid, null) as type,
         has_column_privilege(c.oid, attnum, 'select') as "isReadable"
    from pg_index i join pg_class c on c.oid = indrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on attrelid = indrelid and attnum = indkey[0]
   where ${isOwnRelation} and indisprimary and indnkeyatts = 1 and atttypid in ('int2'::regtype, 'int4'::regtype) and not c.relispartition
     -- A key of another table ends with that table's key.
     and not exists (select from pg_constraint where conrelid = c.oid and contype = 'f' and conkey = array[attnum])
     and not exists (select from pg_depend where refclassid = 'pg_class'::regclass and refobjid = c.oid and refobjsubid = attnum
                      and classid = 'pg_class'::regclass and deptype in ('a', 'i')
                      and objid in (select seqrelid from pg_sequence))
   order by 1 limit 500`;

export const exhaustedNumber: Check = {
  name: "exhausted-number",
  title: "Numbers of a sequence or of an integer key run out",
  scope: "database",
  async find(observer, thresholds) {
    const [bySequence, byKey] = [await inSequences(observer, thresholds), await inKeys(observer, thresholds)];
    return {
      problems: [...bySequence.problems, ...byKey.problems],
      unknown: [...(bySequence.unknown ?? []), ...(byKey.unknown ?? [])],
    };
  },
};

async function inSequences(observer: Observer, thresholds: Thresholds): Promise<Answer> {
  const rows = await observer.query<SequenceRow>(sequences);
  const hidden = rows.filter(({ isReadable }) => !isReadable);
  const problems = rows.flatMap((row): Problem[] => {
    const { sequence, last, limit, start, table, column, columnType } = row;
    if (last === null) return [];
    const used = (last - Math.min(start, last)) / (limit - Math.min(start, last));
    const descending = (Math.max(start, last) - last) / (Math.max(start, last) - limit);
    const share = limit < start ? descending : used;
    if (!(share >= thresholds.exhaustedWarning)) return [];
    const of = table === null ? "" : ` of ${table}.${column} (${columnType})`;
    return [
      {
        object: sequence,
        level: share >= thresholds.exhaustedError ? "error" : "warning",
        detail: `${percent(share)} of the numbers of ${sequence}${of} are used: ${count(last)} of ${count(limit)}. When none is left, every INSERT fails.`,
        objects: table === null ? [sequence] : [sequence, table],
        fix: sequenceFix(row),
      },
    ];
  });
  if (hidden.length === 0) return { problems };
  return {
    problems,
    unknown: [`the role may not read ${hidden.length} sequences: ${names(hidden.map(({ sequence }) => sequence))}`],
  };
}

function sequenceFix({ sequence, table, column, columnType, type, limit }: SequenceRow) {
  const isNarrow = columnType === "smallint" || columnType === "integer";
  const widened = [`alter sequence ${sequence} as bigint`, `alter sequence ${sequence} no maxvalue`];
  const narrowed = [`alter sequence ${sequence} maxvalue ${limit}`, `alter sequence ${sequence} as ${type}`];
  if (!isNarrow) return fix(widened, "ACCESS EXCLUSIVE on the sequence, for a moment.", narrowed);
  return fix(
    [`alter table ${table} alter column ${column} type bigint`, ...widened],
    `ACCESS EXCLUSIVE on ${table}: blocks reads and writes while the table is rewritten. For a large table, copy to a new column in steps instead.`,
    [...narrowed, `alter table ${table} alter column ${column} type ${columnType}`],
  );
}

async function inKeys(observer: Observer, thresholds: Thresholds): Promise<Answer> {
  const rows = await observer.query<KeyRow>(keys);
  const [problems, unknown]: [Problem[], string[]] = [[], []];
  const hidden = rows.filter(({ isReadable }) => !isReadable);
  if (hidden.length > 0)
    unknown.push(
      `the role may not read ${hidden.length} tables with integer keys: ${names(hidden.map(({ table }) => table))}`,
    );
  for (const { table, column, type } of rows.filter(({ isReadable }) => isReadable)) {
    const limit = type === "smallint" ? 32_767 : 2_147_483_647;
    try {
      const [row] = await observer.query<{ last: number | null }>(
        `select max(${column})::float8 as last from ${table}`,
      );
      const share = (row?.last ?? 0) / limit;
      if (share < thresholds.exhaustedWarning) continue;
      problems.push({
        object: `${table}.${column}`,
        level: share >= thresholds.exhaustedError ? "error" : "warning",
        detail: `The highest ${column} of ${table} is ${count(row?.last ?? 0)}. The type ${type} ends at ${count(limit)}.`,
        objects: [table],
        fix: fix(
          [`alter table ${table} alter column ${column} type bigint`],
          `ACCESS EXCLUSIVE on ${table}: blocks reads and writes while the table is rewritten. For a large table, copy to a new column in steps instead.`,
          [`alter table ${table} alter column ${column} type ${type}`],
        ),
      });
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      unknown.push(`${table}: ${error.message}`);
    }
  }
  return { problems, unknown };
}

function names(list: readonly string[]): string {
  return list.slice(0, 5).join(", ") + (list.length > 5 ? " …" : "");
}
