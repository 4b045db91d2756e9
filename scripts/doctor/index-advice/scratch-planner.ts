import type { Client } from "pg";
import { isOwnRelation } from "../own-relations.ts";
import { type Candidate, indexPages, type ScratchColumn, type ScratchTable } from "./candidates.ts";
import type { ColumnNumbers, LiveUse, RelationSize } from "./live-use.ts";

/** A plan of a statement. */
export interface Plan {
  /** The planner's estimate for all rows, without unit. */
  cost: number;
  /** Tables that it reads. A partition counts as its partitioned table. */
  tables: string[];
  /** Candidates whose index it uses. */
  used: Candidate[];
}

interface Trial extends Candidate {
  /** Index, and those of its partitions. */
  oids: string[];
  names: string[];
}

interface Relation {
  oid: string;
  /** Qualified and quoted, as `root`. */
  name: string;
  schema: string;
  plainName: string;
  root: string;
  isTable: boolean;
  isPartitioned: boolean;
  /** File in the data directory; null if it has none. */
  file: string | null;
  pages: number;
}

/** Width in bytes of a value whose type has no fixed one, and distinct values of a column, as the planner assumes. */
const [defaultWidth, defaultDistinct] = [32, 200];

/** First object id that the system's own objects do not have. */
const firstOid = 16_384;

/** Pages of a segment file. */
const segmentPages = 131_072;

/**
 * The planner of a scratch database whose tables are empty, but look as large as those of the live one. Candidates are
 * indexes that exist there. Their files, too, are extended to the size that they would have.
 */
export class ScratchPlanner {
  readonly #superuser: Client;
  readonly #login: Client;
  readonly #use: LiveUse;
  #relations: Relation[] = [];
  readonly #trials = new Map<string, Trial>();

  /**
   * @param superuser session of the scratch cluster's superuser
   * @param login session of the role as which statements are planned: functions of the database run as this role
   */
  constructor(superuser: Client, login: Client, use: LiveUse) {
    this.#superuser = superuser;
    this.#login = login;
    this.#use = use;
  }

  /** Reads the tables, with the planner's settings of the live server. Call it before everything else. */
  async tables(): Promise<Map<string, ScratchTable>> {
    for (const { name, value } of this.#use.settings)
      await this.#login.query("select set_config($1, $2, false)", [name, value]);
    const { rows: relations } = await this.#superuser.query<Relation>(
      `select c.oid::text as oid, format('%I.%I', n.nspname, c.relname) as name, n.nspname::text as schema,
              c.relname::text as "plainName", c.relkind in ('r', 'm', 'p') as "isTable",
              c.relkind = 'p' as "isPartitioned",
              format('%I.%I', rn.nspname, r.relname) as root, pg_relation_filepath(c.oid) as file,
              case when c.relkind in ('r', 'm', 'i') then pg_relation_size(c.oid) / 8192 else 0 end::int as pages
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid) join pg_namespace rn on rn.oid = r.relnamespace
        where c.relkind in ('r', 'm', 'p', 'i') and ${isOwnRelation}`,
    );
    this.#relations = relations;
    const { rows: columns } = await this.#superuser.query<{ table: string; name: string; width: number }>(
      `select format('%I.%I', n.nspname, c.relname) as table, attname::text as name, attlen as width
         from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = c.relnamespace
        where attnum > 0 and not attisdropped and c.relkind in ('r', 'm', 'p') and not c.relispartition`,
    );
    const { rows: indexes } = await this.#superuser.query<{ table: string; keys: string[] }>(
      `select format('%I.%I', n.nspname, c.relname) as table,
              array(select coalesce(attname::text, '') from generate_series(0, indnkeyatts - 1) i
                      left join pg_attribute on attrelid = indrelid and attnum = indkey[i] order by i) as keys
         from pg_index join pg_class c on c.oid = indrelid join pg_namespace n on n.oid = c.relnamespace
         join pg_class x on x.oid = indexrelid join pg_am am on am.oid = x.relam
        where indisvalid and indpred is null and amname = 'btree'`,
    );
    const tables = new Map<string, ScratchTable>();
    for (const { name } of relations.filter((each) => each.isTable && each.name === each.root))
      tables.set(name, {
        name,
        columns: columns.filter(({ table }) => table === name).map((column) => this.#column(name, column)),
        indexed: indexes.filter(({ table }) => table === name).map(({ keys }) => keys),
      });
    return tables;
  }

  #column(root: string, { name, width }: { name: string; width: number }): ScratchColumn {
    const parts = this.#partsOf(root);
    const numbers = this.#use.columns.filter(({ table, column }) => column === name && parts.has(table));
    const distinct = numbers.map((each) =>
      each.distinct < 0 ? -each.distinct * this.rows(each.table) : each.distinct,
    );
    return {
      name,
      widthBytes: Math.max(...numbers.map(({ widthBytes }) => widthBytes), width > 0 ? width : 0) || defaultWidth,
      distinct: distinct.length === 0 ? defaultDistinct : Math.max(...distinct),
    };
  }

  #partsOf(root: string): Set<string> {
    return new Set(this.#relations.filter((each) => each.root === root).map(({ name }) => name));
  }

  #size(name: string): RelationSize | undefined {
    return this.#use.relations.find((each) => each.name === name);
  }

  /** Returns the rows of a table of the live database, with its partitions. */
  rows(table: string): number {
    return this.#sum(table, ({ rows }) => Math.max(rows, 0));
  }

  /** Returns the rows that were written to a table of the live database, with its partitions. */
  writes(table: string): number {
    return this.#sum(table, ({ writes }) => writes);
  }

  #sum(table: string, of: (size: RelationSize) => number): number {
    const leaves = this.#relations.filter(({ root, file }) => root === table && file !== null);
    return leaves.reduce((sum, { name }) => sum + of(this.#size(name) ?? noSize), 0);
  }

  /** Returns the parts of a table's name. */
  relation(table: string): Pick<Relation, "schema" | "plainName" | "isPartitioned"> {
    const found = this.#relations.find(({ name }) => name === table);
    if (found === undefined) throw new Error(`${table} is not in the scratch database`);
    return found;
  }

  /** Returns true if a table or an index has this name. */
  hasRelation(schema: string, name: string): boolean {
    return this.#relations.some((each) => each.schema === schema && each.plainName === name);
  }

  /** Returns true if the live server knows how many rows a table has. */
  isMeasured(table: string): boolean {
    const leaves = this.#relations.filter(({ root, file, isTable }) => isTable && root === table && file !== null);
    return leaves.length > 0 && leaves.every(({ name }) => (this.#size(name)?.rows ?? -1) >= 0);
  }

  /** Creates the index of a candidate. Does nothing if it exists, or if a column has a type without an order. */
  async create(candidate: Candidate): Promise<void> {
    const key = keyOf(candidate);
    if (this.#trials.has(key)) return;
    const name = `pgroundwork_advice_${this.#trials.size + 1}`;
    const columns = candidate.columns.map((column) => this.#superuser.escapeIdentifier(column)).join(", ");
    try {
      await this.#superuser.query(`create index ${name} on ${candidate.table} (${columns})`);
    } catch (error) {
      // The type of a column has no order.
      if ((error as { code?: string }).code === "42704") return;
      throw error;
    }
    const { rows } = await this.#superuser.query<{ oid: string; name: string }>(
      `with recursive tree as (
         select oid from pg_class where relname = $1 union all select inhrelid from tree join pg_inherits on inhparent = oid)
       select oid::text as oid, relname::text as name from tree join pg_class using (oid)`,
      [name],
    );
    this.#trials.set(key, { ...candidate, oids: rows.map(({ oid }) => oid), names: rows.map((row) => row.name) });
  }

  /** Makes all tables and indexes as large as on the live server. Call it after all candidates were created. */
  async enlarge(tables: ReadonlyMap<string, ScratchTable>): Promise<void> {
    const sizes = this.#relations.flatMap((relation) => {
      const size = this.#size(relation.name);
      return size === undefined ? [] : [{ ...relation, size }];
    });
    const { rows: trials } = await this.#superuser.query<{ index: string; table: string; file: string; pages: number }>(
      `select i.indexrelid::text as index, i.indrelid::text as table, pg_relation_filepath(i.indexrelid) as file,
              (pg_relation_size(i.indexrelid) / 8192)::int as pages
         from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indexrelid = any ($1::oid[]) and c.relkind = 'i'`,
      [[...this.#trials.values()].flatMap(({ oids }) => oids)],
    );
    const grown = sizes.map(({ file, pages, size }) => ({ file, from: pages, to: size.pages }));
    for (const { index, table, file, pages } of trials) {
      const { name = "", root = "" } = this.#relations.find(({ oid }) => oid === table) ?? {};
      const trial = [...this.#trials.values()].find(({ oids }) => oids.includes(index));
      const columns = tables.get(root)?.columns.filter((column) => trial?.columns.includes(column.name)) ?? [];
      grown.push({ file, from: pages, to: indexPages(Math.max(this.#size(name)?.rows ?? 0, 0), columns) });
    }
    await this.#extend(grown);
    await this.#superuser.query(
      `update pg_class c set reltuples = size.rows, relpages = size.pages, relallvisible = size.visible
         from unnest($1::oid[], $2::float4[], $3::int[], $4::int[]) size (oid, rows, pages, visible) where c.oid = size.oid`,
      [
        sizes.map(({ oid }) => oid),
        sizes.map(({ size }) => size.rows),
        sizes.map(({ size }) => size.pages),
        sizes.map(({ size }) => size.visiblePages),
      ],
    );
    await this.#describeColumns(this.#use.columns);
  }

  /** Extends files without writing to them. The planner asks for their lengths only. */
  async #extend(files: readonly { file: string | null; from: number; to: number }[]): Promise<void> {
    const commands = files.flatMap(({ file, from, to }) => {
      if (file === null || to <= from) return [];
      const segments = Math.floor((to - 1) / segmentPages);
      const [pages, last] = [to - segments * segmentPages, segments === 0 ? file : `${file}.${segments}`];
      const whole = `i=0; while [ $i -lt ${segments} ]; do if [ $i = 0 ]; then f=${file}; else f=${file}.$i; fi; dd if=/dev/null of=$f bs=8192 seek=${segmentPages}; i=$((i+1)); done`;
      return [...(segments === 0 ? [] : [whole]), `dd if=/dev/null of=${last} bs=8192 seek=${pages}`];
    });
    for (let start = 0; start < commands.length; start += 200) {
      const script = ["set -e", "exec 2>/dev/null", ...commands.slice(start, start + 200)].join("; ");
      await this.#superuser.query(`copy (select ${this.#superuser.escapeLiteral(script)}) to program 'sh'`);
    }
  }

  /** Records distinct values, widths and nulls of columns. Values themselves are not copied. */
  async #describeColumns(columns: readonly ColumnNumbers[]): Promise<void> {
    const slots = (name: string, value: string) => [1, 2, 3, 4, 5].map((slot) => [`${name}${slot}`, value] as const);
    const filled = [...slots("stakind", "0"), ...slots("staop", "0"), ...slots("stacoll", "0")];
    await this.#superuser.query("delete from pg_statistic where starelid >= $1", [firstOid]);
    await this.#superuser.query(
      `insert into pg_statistic (starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct, ${filled.map(([name]) => name).join(", ")})
       select attrelid, attnum, false, nulls, width, distinct_values, ${filled.map(([, value]) => value).join(", ")}
         from unnest($1::text[], $2::text[], $3::float4[], $4::int[], $5::float4[]) live (name, attribute, nulls, width, distinct_values)
         join pg_attribute on attrelid = to_regclass(live.name) and attname = attribute and attnum > 0 and attrelid >= $6`,
      [
        columns.map(({ table }) => table),
        columns.map(({ column }) => column),
        columns.map(({ nullShare }) => nullShare),
        columns.map(({ widthBytes }) => widthBytes),
        columns.map(({ distinct }) => distinct),
        firstOid,
      ],
    );
  }

  /** Plans a statement as if of all candidates only some existed. Parameters stay unknown, as in a generic plan. */
  async plan(text: string, candidates: readonly Candidate[] = []): Promise<Plan> {
    const trials = [...this.#trials.values()];
    const wanted = candidates.flatMap((candidate) => this.#trials.get(keyOf(candidate))?.oids ?? []);
    await this.#superuser.query(
      `update pg_index set indisvalid = indexrelid = any ($1::oid[])
        where indexrelid = any ($2::oid[]) and indisvalid <> (indexrelid = any ($1::oid[]))`,
      [wanted, trials.flatMap(({ oids }) => oids)],
    );
    const { rows } = await this.#login.query<{ "QUERY PLAN": { Plan: PlanNode }[] }>(
      `explain (generic_plan, verbose, format json) ${text}`,
    );
    const root = rows[0]?.["QUERY PLAN"][0]?.Plan;
    if (root === undefined) throw new Error("the server returned no plan");
    const nodes = nodesOf(root);
    const indexes = new Set(nodes.map((each) => each["Index Name"]));
    const tables = nodes.flatMap((each) => {
      const here = ({ schema, plainName }: Relation) => schema === each.Schema && plainName === each["Relation Name"];
      return this.#relations.find(here)?.root ?? [];
    });
    return {
      cost: root["Total Cost"],
      tables: [...new Set(tables)],
      used: trials.filter(({ names }) => names.some((name) => indexes.has(name))),
    };
  }
}

const noSize: RelationSize = { name: "", rows: 0, pages: 0, visiblePages: 0, writes: 0 };

function keyOf({ table, columns }: Candidate): string {
  return [table, ...columns].join("\0");
}

interface PlanNode {
  "Total Cost": number;
  Schema?: string;
  "Relation Name"?: string;
  "Index Name"?: string;
  Plans?: PlanNode[];
}

function nodesOf(root: PlanNode): PlanNode[] {
  return [root, ...(root.Plans ?? []).flatMap(nodesOf)];
}
