import { OperationError } from "../core/operation-error.ts";
import { sqlFileError } from "../sql/run-sql.ts";
import type { SqlSource } from "../sql/sql-error.ts";
import { statementSpans } from "../sql/statements.ts";

/** SQLSTATEs of a missing relation, schema, column or privilege, and of a missing record of the file before. */
const tampered = new Set(["42P01", "3F000", "42703", "42501", "23503"]);
const readOnlyTransaction = "25006";

/** Builds the error of work that a file deferred to its commit. It says so if the file ends with another role. */
export async function deferredFault(error: unknown, source: SqlSource, hint: string): Promise<Error> {
  const role = codeOf(error) === "42501" ? await roleAtEnd(source) : undefined;
  const advice =
    role === undefined
      ? hint
      : `The file ends with another role (line ${role.line}: ${role.statement}), and its deferred work ran as this role. End it with RESET ROLE or RESET SESSION AUTHORIZATION. ${hint}`;
  return sqlFileError(withoutPosition(error), { ...source, file: `${source.file}, at its commit` }, advice);
}

/** Builds the error of a record that could not be written. It says so if the file changed the table for it. */
export function recordFault(error: unknown, source: SqlSource, hint: string): Error {
  const message = error instanceof Error ? error.message : "";
  const isTampered = tampered.has(codeOf(error) ?? "") && /graphile_migrate|pgroundwork|migration/.test(message);
  withoutPosition(error);
  if (codeOf(error) === readOnlyTransaction && /read[\s_]+only/i.test(source.text))
    return new OperationError(`${source.file} makes its transaction read-only, so it cannot be recorded.`, {
      hint: `Remove SET TRANSACTION READ ONLY (or transaction_read_only) from it. ${hint}`,
      cause: error,
    });
  if (!isTampered) return sqlFileError(error, { ...source, file: `${source.file}, recording it` }, hint);
  return sqlFileError(
    error,
    { ...source, file: `${source.file} drops or changes the tables that record migrations` },
    `Leave the schemas graphile_migrate and pgroundwork to the kit. ${hint}`,
  );
}

/** Removes the position of an error. It is one in the kit's own statement, not in the file. */
function withoutPosition(error: unknown): unknown {
  if (error instanceof Error && "position" in error) error.position = undefined;
  return error;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** The part of libpg-query's nodes that is used here. */
interface Statement {
  VariableSetStmt?: { name?: string; kind?: string; args?: { A_Const?: { sval?: { sval?: string } } }[] };
}

/** Returns the statement that set the role with which a file ends; undefined if this is the login's own. */
async function roleAtEnd({ text, start }: SqlSource): Promise<{ line: number; statement: string } | undefined> {
  const { parse } = await import("libpg-query");
  let found: { line: number; statement: string } | undefined;
  for (const span of statementSpans(text.slice(start))) {
    const sql = text.slice(start + span.start, start + span.end);
    if (!/^(?:set|reset)\b/i.test(sql)) continue;
    const parsed = await parse(sql).catch(() => undefined);
    const set = (parsed?.stmts?.[0]?.stmt as Statement | undefined)?.VariableSetStmt;
    if (set === undefined || !["role", "session_authorization"].includes(set.name ?? "")) continue;
    const isReset = set.kind !== "VAR_SET_VALUE" || set.args?.[0]?.A_Const?.sval?.sval === "none";
    const line = text.slice(0, start + span.start).split("\n").length;
    found = isReset ? undefined : { line, statement: sql.replace(/\s+/g, " ") };
  }
  return found;
}
