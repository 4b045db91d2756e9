import { statementSpans } from "../sql/statements.ts";

/** Name of a table as a statement has it. */
export interface TableName {
  /** undefined: resolved by the search path. */
  schema: string | undefined;
  table: string;
}

/** An object that a statement of a down migration removes. */
export type Removal =
  /** The table is dropped or emptied, with its partitions. */
  | ({ kind: "table" } & TableName)
  | ({ kind: "column"; column: string } & TableName)
  /** The schema is dropped with its tables. */
  | { kind: "schema"; schema: string }
  /** The extension is dropped with its own tables. */
  | { kind: "extension"; name: string }
  /** It may remove or change rows: the statement alone does not show it. */
  | { kind: "unknown"; line: number; statement: string };

interface Name {
  String?: { sval?: string };
}

interface Relation {
  schemaname?: string;
  relname: string;
}

/** The part of libpg-query's nodes that is used here. */
interface Statement {
  DropStmt?: { removeType: string; behavior?: string; objects?: (Name & { List?: { items?: Name[] } })[] };
  AlterTableStmt?: { relation?: Relation; objtype?: string; cmds?: { AlterTableCmd?: TableCommand }[] };
  TruncateStmt?: { behavior?: string; relations?: { RangeVar: Relation }[] };
  InsertStmt?: { withClause?: object; onConflictClause?: { action?: string } };
}

interface TableCommand {
  subtype?: string;
  name?: string;
  def?: { ColumnDef?: { raw_default?: object } };
}

/** Statements that remove no row: definitions, privileges, settings, maintenance. */
const harmless =
  /^(Create|Alter|Comment|Grant|Define|Rename|Rule|SecLabel|View|CompositeType|Index|Reindex|RefreshMatView|Vacuum|Cluster|Lock|Notify|Listen|Unlisten|VariableSet|VariableShow|Transaction|Explain)\w*$/;

/** Objects whose columns go with them if they are dropped with CASCADE. */
const columnTypes = ["OBJECT_TYPE", "OBJECT_DOMAIN"];

/** Longest text of a statement, in characters. */
const statementLength = 80;

/**
 * Finds what the statements of a down migration remove, with the server's own parser. A materialized view, an index or
 * a foreign table holds no rows of its own.
 *
 * @param compile replaces the placeholders
 */
export async function removalsOf(text: string, compile: (sql: string) => string): Promise<Removal[]> {
  const { parse } = await import("libpg-query");
  const removals: Removal[] = [];
  for (const { start, end } of statementSpans(text)) {
    const sql = text.slice(start, end);
    const parsed = await parse(compile(sql)).catch(() => undefined);
    const found = parsed?.stmts?.length === 1 ? removalsOfStatement(parsed.stmts[0]?.stmt as Statement) : undefined;
    const line = text.slice(0, start).split("\n").length;
    removals.push(...(found ?? [{ kind: "unknown" as const, line, statement: titleOf(sql) }]));
  }
  return removals;
}

/** Returns undefined if the statement does not show what it removes. */
function removalsOfStatement(statement: Statement): Removal[] | undefined {
  const { DropStmt, AlterTableStmt, TruncateStmt, InsertStmt } = statement;
  if (DropStmt !== undefined) return dropped(DropStmt);
  if (AlterTableStmt !== undefined) return altered(AlterTableStmt);
  if (TruncateStmt !== undefined) {
    if (TruncateStmt.behavior === "DROP_CASCADE") return undefined;
    return (TruncateStmt.relations ?? []).map(({ RangeVar }) => ({ kind: "table", ...nameOf(RangeVar) }));
  }
  if (InsertStmt !== undefined) {
    const changesRows =
      InsertStmt.withClause !== undefined || InsertStmt.onConflictClause?.action === "ONCONFLICT_UPDATE";
    return changesRows ? undefined : [];
  }
  const [kind = ""] = Object.keys(statement);
  return harmless.test(kind) ? [] : undefined;
}

function dropped({ removeType, behavior, objects = [] }: NonNullable<Statement["DropStmt"]>): Removal[] | undefined {
  const cascades = behavior === "DROP_CASCADE";
  const single = objects.map((object) => object.String?.sval ?? "");
  switch (removeType) {
    case "OBJECT_TABLE":
      return objects.map(({ List }) => {
        const names = (List?.items ?? []).map((name) => name.String?.sval ?? "");
        return { kind: "table", schema: names.at(-2), table: names.at(-1) ?? "" };
      });
    case "OBJECT_SCHEMA":
      // Without CASCADE, a schema has to be empty.
      return cascades ? single.map((schema) => ({ kind: "schema", schema })) : [];
    case "OBJECT_EXTENSION":
      return cascades ? undefined : single.map((name) => ({ kind: "extension", name }));
    default:
      return cascades && columnTypes.includes(removeType) ? undefined : [];
  }
}

function altered({ relation, objtype, cmds = [] }: NonNullable<Statement["AlterTableStmt"]>): Removal[] | undefined {
  const commands = cmds.flatMap(({ AlterTableCmd }) => (AlterTableCmd === undefined ? [] : [AlterTableCmd]));
  // USING computes the new values, and ALTER TYPE … DROP ATTRIBUTE removes a part of the values of other tables.
  const isUnclear = ({ subtype, def }: TableCommand) =>
    (subtype === "AT_AlterColumnType" && def?.ColumnDef?.raw_default !== undefined) ||
    (subtype === "AT_DropColumn" && objtype !== "OBJECT_TABLE");
  if (relation === undefined || commands.some(isUnclear)) return undefined;
  return commands
    .filter(({ subtype }) => subtype === "AT_DropColumn")
    .map(({ name = "" }) => ({ kind: "column", column: name, ...nameOf(relation) }));
}

function nameOf({ schemaname, relname }: Relation): TableName {
  return { schema: schemaname, table: relname };
}

function titleOf(sql: string): string {
  const line = sql.replace(/\s+/g, " ");
  return line.length > statementLength ? `${line.slice(0, statementLength - 1)}…` : line;
}
