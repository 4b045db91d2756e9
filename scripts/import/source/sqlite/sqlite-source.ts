import { isUtf8 } from "node:buffer";
import { basename, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Database, Statement } from "better-sqlite3";
import semver from "semver";
import { isInstalled } from "../../../core/kit-folder.ts";
import { OperationError } from "../../../core/operation-error.ts";
import type { TableMap } from "../../map.ts";
import { InvalidText, type Value } from "../../values/value.ts";
import {
  batchRows,
  type Collection,
  type Field,
  type ReadOptions,
  type Source,
  type SourceRow,
  sha256OfFiles,
} from "../source.ts";
import { readDeclaredSchema } from "./declared-schema.ts";
import { fingerprinter } from "./fingerprint.ts";
import { describeChange, takeSnapshot } from "./snapshot.ts";

/** Oldest Node that the driver works with. It ends older ones without a message. */
const oldestNode = "22.14.0";

/** A table as `pragma table_list` describes it. */
interface Listed {
  schema: string;
  name: string;
  type: "table" | "view" | "virtual" | "shadow";
  wr: number;
}

/** A column as `pragma table_xinfo` describes it. `hidden` is 2 or 3 for generated columns, 1 for hidden ones. */
interface ColumnInfo {
  name: string;
  type: string;
  pk: number;
  hidden: number;
}

/**
 * Opens a private copy of a SQLite database.
 *
 * @throws OperationError if the file cannot be read as one
 */
export async function openSqlite(path: string): Promise<Source> {
  if (semver.lt(process.versions.node, oldestNode)) {
    throw new OperationError(`Importing SQLite needs Node ${oldestNode} or later; this is ${process.versions.node}.`, {
      hint: "Run `npm ci`, which installs a newer Node for the project, and start the command with `npm run pgw`.",
    });
  }
  const absolute = resolve(path);
  const { default: Driver } = await import("better-sqlite3").catch(notInstalled);
  const isLocked = (file: string) => isLockedBy(() => new Driver(file, { readonly: true, timeout: 0 }));
  const snapshot = await takeSnapshot(absolute, isLocked);
  let database: Database | undefined;
  try {
    database = new Driver(snapshot.path, { fileMustExist: true });
    return sourceOf(absolute, snapshot, database);
  } catch (error) {
    database?.close();
    await snapshot.remove();
    throw unreadable(absolute, error);
  }
}

function notInstalled(cause: unknown): never {
  const isAbsent = cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND";
  if (!isAbsent) throw cause;
  throw new OperationError("The package better-sqlite3, which reads SQLite databases, is not installed.", {
    hint: isInstalled ? "Run: npm install better-sqlite3" : "Run: npm ci",
    cause,
  });
}

/** Returns true if another process is writing to a database without a WAL. Readers of such a file change nothing. */
function isLockedBy(open: () => Database): boolean {
  let database: Database | undefined;
  try {
    database = open();
    database.prepare("select count(*) from sqlite_schema").get();
    return false;
  } catch (error) {
    // Any other fault shows in the copy, with a better message.
    return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
  } finally {
    database?.close();
  }
}

function unreadable(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "SqliteError") return error;
  return new OperationError(`${path} cannot be read as a SQLite database: ${error.message}.`, {
    hint: "Check it with `sqlite3 FILE 'pragma integrity_check'`. Nothing was imported.",
    cause: error,
  });
}

function sourceOf(path: string, snapshot: Awaited<ReturnType<typeof takeSnapshot>>, database: Database): Source {
  // Everything else in the file is data of others: no query of a map may write, and none may load code.
  database.pragma("trusted_schema = off");
  database.pragma("cell_size_check = on");
  const [damage] = database.pragma("quick_check(1)") as { quick_check: string }[];
  if (damage?.quick_check !== "ok")
    throw new OperationError(`${path} is damaged: ${damage?.quick_check}`, {
      hint: "Recover it with `sqlite3 FILE .recover`. Nothing was imported.",
    });
  database.pragma("query_only = on");
  // One read transaction serves all statements.
  database.exec("begin");
  database.prepare("select count(*) from sqlite_schema").get();
  const tables = listTables(database);
  const infos = new Map(tables.map(({ name }) => [name, columnsOf(database, name)]));
  const orders = new Map(tables.map((table) => [table.name, orderOf(table, infos.get(table.name) ?? [])]));
  const sqlOf = ({ from, query }: TableMap) => query ?? selectOf(from, infos.get(from) ?? [], orders.get(from) ?? []);
  const columnsFor = (entry: TableMap): string[] =>
    entry.query === undefined
      ? (infos.get(entry.from) ?? []).map(({ name }) => name)
      : database
          .prepare(entry.query)
          .columns()
          .map(({ name }) => name);
  // Rows are ordered by their number, which the statement selects after the columns.
  const rowNumberOf = (table: string): string | undefined => {
    const [first = ""] = orders.get(table) ?? [];
    return rowNumbers.includes(first) ? first : undefined;
  };
  return {
    kind: "sqlite",
    path,
    files: snapshot.files,
    copies: snapshot.files.map(({ path: file }) => {
      const suffix = file.slice(path.length);
      return { path: snapshot.path + suffix, name: basename(path) + suffix };
    }),
    sha256: sha256OfFiles(snapshot.files, basename),
    collections: tables.map(({ name }): Collection => {
      const columns = (infos.get(name) ?? []).map((column) => ({ name: column.name, type: column.type }));
      return { name, columns, rows: countOf(database, name) };
    }),
    notImported: listOthers(database),
    lastNumbers: readLastNumbers(database),
    declaredSchema: () => readDeclaredSchema(database, tables, rowNumberOf),
    fields: (entry) => {
      if (!infos.has(entry.from) && entry.query === undefined)
        return { fault: `the source has no table "${entry.from}"` };
      try {
        const names = columnsFor(entry);
        const statement = database.prepare(sqlOf(entry));
        if (!statement.readonly || !statement.reader) return { fault: "the query is no SELECT" };
        const rowNumber = entry.query === undefined ? rowNumberOf(entry.from) : undefined;
        return { names, read: (name) => fieldOf(name === rowNumber ? [...names, name] : names, name) };
      } catch (error) {
        return { fault: `the query fails: ${error instanceof Error ? error.message : error}` };
      }
    },
    rows: (entry, options) => {
      const fingerprint = options?.fingerprints ? fingerprinter(columnsFor(entry)) : undefined;
      return readRows(database, sqlOf(entry), checkerOf(database, entry, infos, orders), options, fingerprint);
    },
    async *fingerprints(entry, signal) {
      for await (const rows of this.rows(entry, { signal, fingerprints: true }))
        yield rows.map(({ fingerprint = "" }) => fingerprint);
    },
    describe: (entry, row) =>
      Object.fromEntries(columnsFor(entry).map((name, index) => [name, (row as Value[])[index]])),
    changedSince: () => describeChange(snapshot.files),
    close: async () => {
      database.close();
      await snapshot.remove();
    },
  };
}

function listTables(database: Database): Listed[] {
  const listed = database.pragma("table_list") as Listed[];
  return listed
    .filter(
      ({ schema, name, type }) =>
        schema === "main" && !name.startsWith("sqlite_") && (type === "table" || type === "virtual"),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Lists what is in the file and is not data: views, triggers, and tables that belong to a virtual table. */
function listOthers(database: Database): string[] {
  const listed = (database.pragma("table_list") as Listed[])
    .filter(
      ({ schema, name, type }) =>
        schema === "main" && !name.startsWith("sqlite_") && (type === "view" || type === "shadow"),
    )
    .map(({ name, type }) => (type === "view" ? `view ${name}` : `table ${name}, which belongs to a virtual table`));
  const triggers = database.prepare("select name from sqlite_schema where type = 'trigger' order by name").all() as {
    name: string;
  }[];
  return [...listed.sort(), ...triggers.map(({ name }) => `trigger ${name}`)];
}

function columnsOf(database: Database, table: string): ColumnInfo[] {
  const columns = database
    .prepare("select name, type, pk, hidden from pragma_table_xinfo(?)")
    .all(table) as ColumnInfo[];
  return columns.filter(({ hidden }) => hidden !== 1);
}

/** Names of a row's number. A column of such a name hides it. */
const rowNumbers = ["rowid", "_rowid_", "oid"];

/** Returns the columns that put a table's rows in an order and identify them. */
function orderOf({ wr }: Listed, columns: readonly ColumnInfo[]): string[] {
  // A column of this name would hide the rowid.
  const free = rowNumbers.find((name) => !columns.some((column) => column.name.toLowerCase() === name));
  if (wr === 0 && free !== undefined) return [free];
  const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  return (key.length > 0 ? key : columns).map(({ name }) => quote(name));
}

function selectOf(table: string, columns: readonly ColumnInfo[], order: readonly string[]): string {
  const list = [...columns.map(({ name }) => quote(name)), ...order].join(", ");
  return `select ${list} from ${quote(table)} order by ${order.join(", ")}`;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function countOf(database: Database, table: string): number {
  return (database.prepare(`select count(*) as n from ${quote(table)}`).get() as { n: number }).n;
}

function readLastNumbers(database: Database): Map<string, bigint> {
  const known = database.prepare("select 1 from sqlite_schema where name = 'sqlite_sequence'").get();
  if (known === undefined) return new Map();
  const rows = database.prepare("select name, seq from sqlite_sequence").safeIntegers(true).all() as {
    name: string;
    seq: unknown;
  }[];
  return new Map(rows.flatMap(({ name, seq }) => (typeof seq === "bigint" ? [[name, seq]] : [])));
}

function fieldOf(names: readonly string[], name: string): Field | undefined {
  const exact = names.indexOf(name);
  const index = exact >= 0 ? exact : names.findIndex((each) => each.toLowerCase() === name.toLowerCase());
  return index < 0 ? undefined : (row) => (row as Value[])[index];
}

/** Replaces texts that PostgreSQL cannot store. The driver has turned their invalid bytes into U+FFFD. */
type Checker = (row: Value[]) => void;

/**
 * Reads a text again as bytes if it contains U+FFFD, which is what the driver makes of invalid bytes. So the common
 * case costs one search.
 */
function checkerOf(
  database: Database,
  { from, query }: TableMap,
  infos: ReadonlyMap<string, ColumnInfo[]>,
  orders: ReadonlyMap<string, string[]>,
): Checker {
  const columns = infos.get(from) ?? [];
  const order = orders.get(from) ?? [];
  const statements = new Map<number, Statement>();
  const isWide = String(database.pragma("encoding", { simple: true })).startsWith("UTF-16");
  const bytesOf = (row: Value[], index: number): Uint8Array | undefined => {
    if (query !== undefined) return undefined;
    let statement = statements.get(index);
    if (statement === undefined) {
      const where = order.map((each) => `${each} is ?`).join(" and ");
      const column = quote(columns[index]?.name ?? "");
      statement = database.prepare(`select cast(${column} as blob) from ${quote(from)} where ${where}`).pluck(true);
      statements.set(index, statement);
    }
    return statement.get(...row.slice(columns.length)) as Uint8Array | undefined;
  };
  return (row) => {
    const length = query === undefined ? columns.length : row.length;
    for (let index = 0; index < length; index++) {
      const value = row[index];
      if (typeof value !== "string") continue;
      if (value.includes("\0")) row[index] = new InvalidText("text with a NUL byte", Buffer.from(value));
      else if (value.includes("\uFFFD")) {
        const bytes = bytesOf(row, index);
        if (bytes === undefined || (isWide ? isWellFormed(bytes) : isUtf8(bytes))) {
          // A query's result has no bytes to look at, so U+FFFD itself cannot be told from invalid bytes.
          if (bytes === undefined)
            row[index] = new InvalidText("text with U+FFFD, perhaps from invalid UTF-8", Buffer.from(value));
        } else row[index] = new InvalidText("text that is not UTF-8", bytes);
      }
    }
  };
}

/** Returns true if UTF-16 text has no half of a surrogate pair. SQLite converts it to this machine's order of bytes. */
function isWellFormed(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).toString("utf16le").isWellFormed();
}

async function* readRows(
  database: Database,
  sql: string,
  check: Checker,
  { signal, isWanted }: ReadOptions = {},
  fingerprint?: (row: readonly Value[]) => string,
): AsyncIterable<SourceRow[]> {
  const statement = database.prepare(sql).raw(true).safeIntegers(true);
  let ordinal = 0;
  let rows: SourceRow[] = [];
  for (const row of statement.iterate() as IterableIterator<Value[]>) {
    ordinal++;
    if (isWanted?.(ordinal) !== false) {
      check(row);
      if (fingerprint === undefined) rows.push({ ordinal, row });
      else rows.push({ ordinal, row, fingerprint: fingerprint(row) });
    }
    if (ordinal % batchRows !== 0) continue;
    signal?.throwIfAborted();
    if (rows.length > 0) yield rows;
    rows = [];
    // Reading never waits, so it would keep signals and the connection's answers from being handled.
    if (ordinal % (batchRows * 100) === 0) await setImmediate();
  }
  if (rows.length > 0) yield rows;
}
