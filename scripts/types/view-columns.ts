import type { RelationFacts } from "./relations.ts";
import { list, nameParts, node, parseSelect } from "./tree.ts";

/** A view's column: what its query proves about it. */
export interface ViewColumn {
  notNull: boolean;
  /** Table and column whose value it shows unchanged. */
  source?: { relation: string; column: string };
}

/** Columns that an item of FROM offers. */
type Source = Map<string, ViewColumn>;

/** Functions that never return null. */
const notNullFunctions = new Set([
  "count",
  "now",
  "row_number",
  "rank",
  "dense_rank",
  "clock_timestamp",
  "statement_timestamp",
  "transaction_timestamp",
  "gen_random_uuid",
  "jsonb_build_object",
  "json_build_object",
]);

/** Types whose casts never make null of a value. */
const plainTypes = new Set(
  "text varchar bpchar int2 int4 int8 numeric float4 float8 bool date timestamp timestamptz time interval uuid json jsonb".split(
    " ",
  ),
);

/** Finds out which columns of views cannot be null. What is not understood can be. */
export class ViewAnalysis {
  readonly #relations: ReadonlyMap<string, RelationFacts>;
  readonly #known = new Map<string, ViewColumn[]>();

  constructor(relations: readonly RelationFacts[]) {
    this.#relations = new Map(relations.map((relation) => [relation.name, relation]));
  }

  /** Returns the columns of a table or view, in order. */
  async columnsOf(name: string): Promise<ViewColumn[]> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const relation = this.#relations.get(name);
    if (relation === undefined) return [];
    if (relation.definition === null) {
      const columns = relation.columns.map(({ name: column, notNull }) => ({
        notNull,
        source: { relation: name, column },
      }));
      this.#known.set(name, columns);
      return columns;
    }
    const select = await parseSelect(relation.definition);
    const found = select === undefined ? [] : await this.#targets(select);
    // A query that was not understood completely proves nothing.
    const columns = found.length === relation.columns.length ? found : relation.columns.map(() => ({ notNull: false }));
    this.#known.set(name, columns);
    return columns;
  }

  async #targets(select: Record<string, unknown>): Promise<ViewColumn[]> {
    if (select.op !== undefined && select.op !== "SETOP_NONE") {
      const [left, right] = await Promise.all(
        [select.larg, select.rarg].map((arm) => this.#targets(arm as Record<string, unknown>)),
      );
      return (left ?? []).map(({ notNull }, index) => ({ notNull: notNull && (right?.[index]?.notNull ?? false) }));
    }
    // Rows of subtotals have nulls in the columns of the other groups.
    const subtotals = list(select.groupClause).some((group) => node(group, "GroupingSet") !== undefined);
    const sources: [string, Source][] = [];
    const withQueries = new Set(
      list(node({ w: select.withClause }, "w")?.ctes).map((cte) => node(cte, "CommonTableExpr")?.ctename),
    );
    for (const item of list(select.fromClause)) sources.push(...(await this.#sources(item, false, withQueries)));
    return list(select.targetList).map((target) => {
      const column = expression(node(target, "ResTarget")?.val, sources);
      return subtotals ? { notNull: false } : column;
    });
  }

  /**
   * Lists the names that an item of FROM defines, with their columns.
   *
   * @param optional true on the side of an outer join that can be absent
   */
  async #sources(item: unknown, optional: boolean, withQueries: ReadonlySet<unknown>): Promise<[string, Source][]> {
    const join = node(item, "JoinExpr");
    if (join !== undefined) {
      const left = optional || ["JOIN_RIGHT", "JOIN_FULL"].includes(String(join.jointype));
      const right = optional || ["JOIN_LEFT", "JOIN_FULL"].includes(String(join.jointype));
      return [
        ...(await this.#sources(join.larg, left, withQueries)),
        ...(await this.#sources(join.rarg, right, withQueries)),
      ];
    }
    const table = node(item, "RangeVar");
    const subselect = node(item, "RangeSubselect");
    const alias = ((table ?? subselect)?.alias as { aliasname?: string; colnames?: unknown } | undefined) ?? {};
    const name = alias.aliasname ?? String(table?.relname ?? "");
    // Names of columns that the alias changes are not followed.
    if (alias.colnames !== undefined || name === "") return [[name, new Map()]];
    const other = table?.schemaname !== undefined && table.schemaname !== "public";
    if (table !== undefined && !other && !withQueries.has(table.relname)) {
      const relation = this.#relations.get(String(table.relname));
      const columns = await this.columnsOf(String(table.relname));
      const named = (relation?.columns ?? []).map((column, index) => [column.name, columns[index]] as const);
      return [[name, sourceOf(named, optional)]];
    }
    const query = node(subselect?.subquery, "SelectStmt");
    if (query === undefined || (query.op !== undefined && query.op !== "SETOP_NONE")) return [[name, new Map()]];
    const columns = await this.#targets(query);
    const named = list(query.targetList).map((target, index) => [targetName(target), columns[index]] as const);
    return [[name, sourceOf(named, optional)]];
  }
}

function sourceOf(named: readonly (readonly [string, ViewColumn | undefined])[], optional: boolean): Source {
  return new Map(
    named.map(([name, column]) => [name, { ...column, notNull: !optional && (column?.notNull ?? false) }] as const),
  );
}

function targetName(target: unknown): string {
  const { name, val } = node(target, "ResTarget") ?? {};
  return typeof name === "string" ? name : (nameParts(node(val, "ColumnRef")?.fields).at(-1) ?? "");
}

/** Returns what is known about an expression. */
function expression(tree: unknown, sources: readonly [string, Source][]): ViewColumn {
  const reference = node(tree, "ColumnRef");
  if (reference !== undefined) return referenced(nameParts(reference.fields), sources);
  return { notNull: isNotNull(tree, sources) };
}

/** Looks a column up. A name without its table is certain only if FROM has one item. */
function referenced(parts: readonly string[], sources: readonly [string, Source][]): ViewColumn {
  const [first = "", second] = parts;
  const unknown = { notNull: false };
  if (second === undefined) return (sources.length === 1 ? sources[0]?.[1].get(first) : undefined) ?? unknown;
  const candidates = sources.filter(([name]) => name === first);
  return (candidates.length === 1 && parts.length === 2 ? candidates[0]?.[1].get(second) : undefined) ?? unknown;
}

function isNotNull(tree: unknown, sources: readonly [string, Source][]): boolean {
  const every = (items: unknown) => list(items).length > 0 && list(items).every((item) => isNotNull(item, sources));
  const constant = node(tree, "A_Const");
  if (constant !== undefined) return constant.isnull !== true;
  if (node(tree, "ColumnRef") !== undefined) return expression(tree, sources).notNull;
  if (node(tree, "NullTest") !== undefined) return true;
  const cast = node(tree, "TypeCast");
  if (cast !== undefined) {
    const type = nameParts((cast.typeName as { names?: unknown } | undefined)?.names).at(-1) ?? "";
    return plainTypes.has(type) && isNotNull(cast.arg, sources);
  }
  const coalesce = node(tree, "CoalesceExpr");
  if (coalesce !== undefined) return list(coalesce.args).some((item) => isNotNull(item, sources));
  const call = node(tree, "FuncCall");
  if (call !== undefined) {
    const name = nameParts(call.funcname);
    return (name.length === 1 || name[0] === "pg_catalog") && notNullFunctions.has(name.at(-1) ?? "");
  }
  const bool = node(tree, "BoolExpr");
  if (bool !== undefined) return every(bool.args);
  const sublink = node(tree, "SubLink");
  if (sublink !== undefined) return sublink.subLinkType === "EXISTS_SUBLINK";
  const choice = node(tree, "CaseExpr");
  if (choice !== undefined) {
    const results = list(choice.args).map((branch) => node(branch, "CaseWhen")?.result);
    return choice.defresult !== undefined && every([...results, choice.defresult]);
  }
  return false;
}
