import { OperationError } from "../core/operation-error.ts";
import { type Connection, describeConnection } from "./connection.ts";

/** Hint if sessions begin read-only. */
export const readOnlyHint = [
  "The database, the role or the server has default_transaction_read_only set (\\drds in psql lists settings of databases and roles). Run as a superuser:",
  "SET default_transaction_read_only = off; then ALTER DATABASE … RESET default_transaction_read_only; or the same with ALTER ROLE … IN DATABASE … or ALTER SYSTEM. Then run again.",
].join(" ");

/**
 * Hints by SQLSTATE (PostgreSQL's appendix A), for failures of the server's machine or its configuration. Neither a
 * statement nor the kit's code causes them.
 */
const hints: Readonly<Record<string, string>> = {
  "25006": readOnlyHint,
  "53100":
    "The server's disk is full. Free space there, then run again. Committed data is safe. Delete nothing in the data directory.",
  "53200": "The server is out of memory. Lower work_mem or the number of sessions, or give it more memory.",
  "58030": "The server could not read or write a file. First check its disk and its log.",
  "58P01": "A file of the server is missing. Copy the data directory, check the disk, and restore a backup.",
  XX001:
    "Rows on the server's disk are damaged (wrong checksum). First copy the data directory. Then check the disk and restore a backup.",
  XX002: "An index is damaged. Rebuild it (REINDEX INDEX), and check the disk.",
};

/** Returns the hint for an SQLSTATE; undefined if neither the server's machine nor its configuration is the reason. */
export function serverFaultHint(sqlstate: string | undefined): string | undefined {
  return sqlstate === undefined ? undefined : hints[sqlstate];
}

/** Returns true for an error that PostgreSQL answered. It needs no driver, which takes long to load. */
export function isFromServer(error: unknown): error is Error & { code: unknown } {
  return error instanceof Error && "code" in error && "severity" in error;
}

/**
 * Converts the error of a query to one for the user if the server's machine or its configuration is the reason.
 * Otherwise returns undefined.
 */
export function serverFault(connection: Connection, error: unknown): OperationError | undefined {
  if (!isFromServer(error)) return undefined;
  const hint = serverFaultHint(String(error.code));
  if (hint === undefined) return undefined;
  return new OperationError(`${describeConnection(connection)}: ${error.message} (SQLSTATE ${error.code})`, {
    hint,
    cause: error,
  });
}
