import { statementSpans, tokensOf } from "./statements.ts";

/** A fault at a place of a text. */
export interface TextFault {
  /** Offset in the text, in UTF-16 units. */
  offset: number;
  /** Begins in lower case, without a full stop. */
  message: string;
  /** Hint: the right way to write it. */
  hint: string;
}

/** The part of libpg-query's nodes that is used here. */
interface Statement {
  TransactionStmt?: { kind?: string };
  CopyStmt?: { is_from?: boolean; is_program?: boolean; filename?: string; relation?: { relname: string } };
  DropStmt?: { removeType?: string; objects?: Dropped[] };
}

/** A name: of a schema, or of an object with its schema. */
interface Dropped {
  String?: Word["String"];
  List?: { items?: Word[] };
}

interface Word {
  String?: { sval?: string };
}

/** Statements that are parsed. The parser is WebAssembly: loading it takes longer than most files do. */
const suspects =
  /^(?:begin|start|commit|end|rollback|abort|prepare|copy)\b|^drop\b[\s\S]*(?:graphile_migrate|pgroundwork)/i;

const suspectWords = /\b(?:begin|start|commit|end|rollback|abort|prepare|copy|drop)\b/i;

/** Statements that begin or end a transaction, by the parser's name for them. */
const transactionKinds: Readonly<Record<string, string>> = {
  TRANS_STMT_BEGIN: "begins a transaction",
  TRANS_STMT_START: "begins a transaction",
  TRANS_STMT_COMMIT: "ends the transaction of the file",
  TRANS_STMT_ROLLBACK: "ends the transaction of the file",
  TRANS_STMT_PREPARE: "ends the transaction of the file",
};

/**
 * Finds what a file must not contain: commands of psql, rows for COPY FROM stdin, statements that end the file's
 * transaction, and those that drop the kit's records.
 *
 * @param sql without replaced placeholders
 * @param transactional false for a file that runs without a transaction of its own
 */
export async function refusedStatements(
  sql: string,
  { transactional }: { transactional: boolean },
): Promise<TextFault[]> {
  const meta = psqlCommand(sql);
  const faults: TextFault[] = [];
  // Large files of rows have none of these words, and splitting them takes long.
  for (const { start, end } of suspectWords.test(sql) ? statementSpans(sql) : []) {
    // Rows after COPY FROM stdin are no statements, and end with a backslash.
    if (meta !== undefined && start > meta.offset) break;
    const text = sql.slice(start, end);
    if (!suspects.test(text)) continue;
    const fault = faultOf(await parseOne(text), text, transactional);
    if (fault === undefined) continue;
    faults.push({ offset: start, ...fault });
    if (fault.message.startsWith("COPY")) return faults;
  }
  return meta === undefined ? faults : [...faults, meta];
}

async function parseOne(sql: string): Promise<Statement | undefined> {
  const { parse } = await import("libpg-query");
  // The server reports a syntax error itself, before it runs anything of the file.
  const parsed = await parse(sql).catch(() => undefined);
  return parsed?.stmts?.[0]?.stmt as Statement | undefined;
}

function faultOf(
  statement: Statement | undefined,
  text: string,
  transactional: boolean,
): Omit<TextFault, "offset"> | undefined {
  const verb = transactionKinds[statement?.TransactionStmt?.kind ?? ""];
  if (verb !== undefined && transactional) {
    return {
      message: `${text.replace(/\s+/g, " ").toUpperCase()} ${verb}`,
      hint: "Remove it: the file runs in one transaction with its record. SAVEPOINT and ROLLBACK TO are allowed. If one statement cannot run in a transaction, give it a file of its own with --! no-transaction.",
    };
  }
  const copy = statement?.CopyStmt;
  if (copy?.is_from === true && copy.filename === undefined && copy.is_program !== true) {
    return {
      message: `COPY ${copy.relation?.relname ?? ""} FROM stdin reads rows from the client, as psql sends them`,
      hint: "Write INSERT statements (`pg_dump --inserts` makes them). Load large data after the migration, with \\copy in `npm run pgw -- psql`.",
    };
  }
  const dropped = statement?.DropStmt === undefined ? undefined : droppedRecords(statement.DropStmt);
  if (dropped === undefined) return undefined;
  return {
    message: `this drops ${dropped}, which records the migrations and seeds of this database`,
    hint: "Remove the statement.",
  };
}

const recordSchemas = ["graphile_migrate", "pgroundwork"];
const recordTables = ["graphile_migrate.migrations", "pgroundwork.migration_ledger", "pgroundwork.seed_ledger"];

function droppedRecords({ removeType, objects = [] }: NonNullable<Statement["DropStmt"]>): string | undefined {
  const names = objects.map(({ String: name, List: list }) =>
    name === undefined ? (list?.items ?? []).map((item) => item.String?.sval).join(".") : (name.sval ?? ""),
  );
  if (removeType === "OBJECT_SCHEMA") return names.find((name) => recordSchemas.includes(name));
  return removeType === "OBJECT_TABLE" ? names.find((name) => recordTables.includes(name)) : undefined;
}

/** Finds the first command of psql. A backslash outside of strings and comments is never SQL. */
function psqlCommand(sql: string): TextFault | undefined {
  if (!sql.includes("\\")) return undefined;
  for (const { start, kind } of tokensOf(sql)) {
    if (kind !== "other" || sql[start] !== "\\") continue;
    const command = /^\\(?:[A-Za-z]+|\S)?/.exec(sql.slice(start))?.[0] ?? "\\";
    return {
      offset: start,
      message: `${command} is a command of psql, not SQL`,
      hint: insteadOf(command),
    };
  }
  return undefined;
}

/** Returns what to write instead of a command of psql. */
function insteadOf(command: string): string {
  switch (command) {
    case "\\i":
    case "\\ir":
    case "\\include":
    case "\\include_relative":
      return "Put the file into the folder fixtures and write --!include PATH.sql in current.sql, or insert its content here.";
    case "\\copy":
      return "Write INSERT statements. Load large data after the migration, with \\copy in `npm run pgw -- psql`.";
    case "\\.":
    case "\\N":
      return "These are rows for COPY FROM stdin, which only psql can send. Write INSERT statements (`pg_dump --inserts` makes them).";
    case "\\c":
    case "\\connect":
      return "Remove it: a file runs in its own database. Another database is another folder.";
    case "\\set":
    case "\\gset":
    case "\\unset":
    case "\\if":
    case "\\elif":
    case "\\else":
    case "\\endif":
      return "Write a DO block with variables and IF, or use the placeholders of .gmrc.";
    case "\\g":
    case "\\gexec":
    case "\\gx":
      return "End the statement with a semicolon. To run statements that a query makes, write a DO block with EXECUTE.";
    case "\\echo":
    case "\\qecho":
    case "\\warn":
      return "Remove it, or write a DO block with RAISE NOTICE.";
    case "\\!":
    case "\\o":
    case "\\w":
      return "Remove it: a file runs on the server. A command can be a hook of .gmrc.";
    default:
      return "Remove the line: it only changes or prints what psql shows. `npm run pgw -- psql` runs it.";
  }
}
