import { OperationError } from "../errors/operation-error.ts";
import { type Connection, describeConnection } from "./connection.ts";

/** What to do where sessions begin read-only. */
export const readOnlyRemedy = [
  "A database, a role or the server has default_transaction_read_only (\\drds in psql lists what databases and roles have). As a superuser:",
  "SET default_transaction_read_only = off; then ALTER DATABASE … RESET default_transaction_read_only; or the same with ALTER ROLE … IN DATABASE … or ALTER SYSTEM. Then run again.",
].join(" ");

/**
 * What the machine below a server did to it, or who set it up, by SQLSTATE (PostgreSQL's appendix A): no statement is to blame, and none of the kit's code.
 */
const remedies: Readonly<Record<string, string>> = {
  "25006": readOnlyRemedy,
  "53100":
    "The server's disk is full. Make room there, then run again: what was acknowledged is safe. Delete nothing in the data directory.",
  "53200": "The server has no memory left. Lower work_mem or the number of sessions, or give it more.",
  "58030": "The server could not read or write a file. Check its disk and its log before anything else.",
  "58P01": "A file of the server is missing. Copy the data directory, check the disk, and put back a backup.",
  XX001:
    "Rows on the server's disk are damaged (a checksum does not fit). Copy the data directory before anything else, check the disk, and put back a backup.",
  XX002: "An index is damaged. Rebuild it (REINDEX INDEX), and check the disk.",
};

/** What to do about a statement that failed with this SQLSTATE; undefined where neither the machine below the server nor its set-up is the reason. */
export function serverFaultRemedy(sqlstate: string | undefined): string | undefined {
  return sqlstate === undefined ? undefined : remedies[sqlstate];
}

/** The error of a query as one for people where the machine below the server, or its set-up, is its reason; otherwise undefined. */
export function serverFault(connection: Connection, error: unknown): OperationError | undefined {
  if (!(error instanceof Error && "code" in error && "severity" in error)) return undefined;
  const remedy = serverFaultRemedy(String(error.code));
  if (remedy === undefined) return undefined;
  return new OperationError(`${describeConnection(connection)}: ${error.message} (SQLSTATE ${error.code})`, {
    remedy,
    cause: error,
  });
}
