import type { Observer } from "../../connection/observer.ts";
import {
  counted,
  examineObject,
  type IntegrityFinding,
  nothingExamined,
  type Sample,
  type Subject,
} from "../subject.ts";

interface Extension {
  schema: string;
  /** Functions of the extension that the role may call. */
  hasHeap: boolean;
  hasIndex: boolean;
  /** True if `bt_index_check` can also look for duplicates: amcheck 1.4. */
  checksUnique: boolean;
}

const extensionQuery = `
  select quote_ident(n.nspname) as schema,
         exists (select from pg_proc p where pronamespace = n.oid and proname = 'verify_heapam'
                  and has_function_privilege(p.oid, 'execute')) and has_schema_privilege(n.oid, 'usage') as "hasHeap",
         exists (select from pg_proc p where pronamespace = n.oid and proname = 'bt_index_check' and pronargs >= 2
                  and has_function_privilege(p.oid, 'execute')) and has_schema_privilege(n.oid, 'usage') as "hasIndex",
         exists (select from pg_proc where pronamespace = n.oid and proname = 'bt_index_check' and pronargs = 3) as "checksUnique"
    from pg_extension join pg_namespace n on n.oid = extnamespace where extname = 'amcheck'`;

/** Heaps and b-trees of the database, with those of the catalog and of TOAST, without temporary ones. */
const relationsQuery = `
  select c.oid::int8::float8 as oid, format('%I.%I', n.nspname, c.relname) as name, c.relkind in ('r', 'm', 't') as "isHeap",
         i.indisunique as "isUnique", i.indisvalid and i.indisready as "isValid"
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_am a on a.oid = c.relam
    left join pg_index i on i.indexrelid = c.oid
   where c.relpersistence <> 't'
     and ((c.relkind in ('r', 'm', 't') and a.amname = 'heap') or (c.relkind = 'i' and a.amname = 'btree'))
     and not (c.relpersistence = 'u' and pg_is_in_recovery())
   order by 2`;

interface Relation {
  oid: number;
  name: string;
  isHeap: boolean;
  isUnique: boolean | null;
  isValid: boolean | null;
}

/** Lets amcheck examine every heap and every b-tree: their pages, and that each row of a table is in its indexes. */
export const amcheck: Subject = {
  name: "amcheck",
  title: "heaps and b-trees checked by amcheck",
  async examine(observer, survey) {
    const result = nothingExamined();
    const [extension] = await observer.query<Extension>(extensionQuery);
    if (extension === undefined)
      return { ...result, notAvailable: "the extension amcheck is not installed in this database" };
    const { user } = observer.facts;
    if (!extension.hasHeap && !extension.hasIndex)
      return { ...result, unknown: [`role "${user}" has no right to call the functions of amcheck`] };
    if (!extension.hasHeap) result.unknown.push(`heaps: role "${user}" has no right to call verify_heapam`);
    if (!extension.hasIndex) result.unknown.push(`b-trees: role "${user}" has no right to call bt_index_check`);
    for (const relation of await observer.query<Relation>(relationsQuery)) {
      if (relation.isHeap && extension.hasHeap)
        await examineObject(result, survey, relation.name, () =>
          checkHeap(observer, extension, relation, survey.sampleLimit),
        );
      if (!relation.isHeap && extension.hasIndex && relation.isValid)
        await examineObject(result, survey, relation.name, () => checkIndex(observer, extension, relation));
    }
    return result;
  },
};

async function checkHeap(
  observer: Observer,
  { schema }: Extension,
  { oid, name }: Relation,
  limit: number,
): Promise<IntegrityFinding[]> {
  const found = await observer.query<{ sample: Sample; message: string; count: number }>(
    `select json_build_object('block', blkno::text, 'row', offnum::text) as sample, msg as message, (count(*) over ())::float8 as count
       from ${schema}.verify_heapam($1::oid::regclass, check_toast => true) limit ${limit}`,
    [oid],
  );
  const [first] = found;
  if (first === undefined) return [];
  return [
    {
      code: "damaged-heap",
      level: "error",
      title: "A table's pages are damaged",
      detail: `amcheck reports ${counted(first.count, "problem")} of ${name}, first: ${first.message}`,
      objects: [name],
      hint: "First copy the data directory. Then check the disk and the server's log, and restore a backup.",
      count: first.count,
      samples: found.map(({ sample }) => sample),
    },
  ];
}

/** The function reports the first problem as an error: XX002 for a damaged index, XX001 for damaged data. */
async function checkIndex(
  observer: Observer,
  { schema, checksUnique }: Extension,
  { oid, isUnique }: Relation,
): Promise<IntegrityFinding[]> {
  const more = checksUnique && isUnique ? ", checkunique => true" : "";
  await observer.query(`select ${schema}.bt_index_check($1::oid::regclass, heapallindexed => true${more})`, [oid]);
  return [];
}
