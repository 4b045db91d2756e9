import { monitoringSchema } from "../../connection/observer.ts";

/** Names of the columns in a statement that a btree index can serve. Tables are not resolved. */
export interface SearchedColumns {
  /** Compared for equality with something. */
  equal: string[];
  /** Compared by `<`, `>`, BETWEEN. */
  range: string[];
  sorted: string[];
}

type Node = Record<string, unknown>;

const queries = ["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"];

/**
 * Finds the columns that a statement searches and sorts by, with the server's own parser.
 *
 * @returns undefined if the text is not exactly one statement that reads or changes rows of
 * tables that migrations can create
 */
export async function searchedColumns(text: string): Promise<SearchedColumns | undefined> {
  const { parse } = await import("libpg-query");
  const parsed = (await parse(text).catch(() => undefined)) as { stmts?: { stmt: Node }[] } | undefined;
  const statements = parsed?.stmts ?? [];
  const [statement] = statements;
  if (statement === undefined || statements.length > 1 || !queries.some((kind) => kind in statement.stmt))
    return undefined;
  if (!readsOwnTables(statement.stmt)) return undefined;
  const found = { equal: new Set<string>(), range: new Set<string>(), sorted: new Set<string>() };
  collect(statement.stmt, found);
  return { equal: [...found.equal], range: [...found.range], sorted: [...found.sorted] };
}

/** Schemas of the kit, of graphile-migrate and of the system. */
const kitSchemas = ["pgroundwork", "graphile_migrate", monitoringSchema];
const otherSchemas = [...kitSchemas, "pg_catalog", "information_schema"];

/** Returns true if a statement names a table outside these schemas, and is not the kit's own. */
function readsOwnTables(tree: unknown): boolean {
  const schemas = [...tableSchemas(tree)];
  return schemas.some((each) => !otherSchemas.includes(each)) && !schemas.some((each) => kitSchemas.includes(each));
}

/** Lists the schemas of the tables in a statement. Empty text: none is written. */
function* tableSchemas(tree: unknown): Generator<string> {
  if (typeof tree !== "object" || tree === null) return;
  const { relname, schemaname } = tree as { relname?: unknown; schemaname?: string };
  if (typeof relname === "string") yield schemaname ?? "";
  for (const value of Object.values(tree)) yield* tableSchemas(value);
}

function collect(tree: unknown, found: Record<keyof SearchedColumns, Set<string>>): void {
  if (Array.isArray(tree)) for (const each of tree) collect(each, found);
  if (typeof tree !== "object" || tree === null || Array.isArray(tree)) return;
  for (const [kind, value] of Object.entries(tree)) {
    const fields = value as Node;
    if (kind === "A_Expr") addTo(targetOf(fields, found), fields.lexpr, fields.rexpr);
    // `column in (select …)`, and `(a, b) = any (select …)`
    if (kind === "SubLink") addTo(found.equal, fields.testexpr);
    if (kind === "SortBy") addTo(found.sorted, fields.node);
    if (kind === "JoinExpr") for (const name of names(fields.usingClause)) found.equal.add(name);
    collect(value, found);
  }
}

function targetOf({ kind, name }: Node, found: Record<keyof SearchedColumns, Set<string>>): Set<string> | undefined {
  if (typeof kind === "string" && /BETWEEN/.test(kind)) return found.range;
  const operator = names(name).at(-1) ?? "";
  if (operator === "=") return found.equal;
  return ["<", ">", "<=", ">="].includes(operator) ? found.range : undefined;
}

/** Adds the columns that stand alone on a side of a comparison: an index of a column serves no function of it. */
function addTo(target: Set<string> | undefined, ...sides: unknown[]): void {
  if (target === undefined) return;
  for (const side of sides) {
    const { ColumnRef, RowExpr } = (side ?? {}) as { ColumnRef?: Node; RowExpr?: { args?: unknown[] } };
    const column = names(ColumnRef?.fields).at(-1);
    if (column !== undefined) target.add(column);
    addTo(target, ...(RowExpr?.args ?? []));
  }
}

function names(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each) => (each as { String?: { sval?: string } }).String?.sval ?? []);
}
