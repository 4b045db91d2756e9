import type { Connection } from "../../connection/connection.ts";
import { limitSettings, settingsOptions } from "../../connection/session-settings.ts";
import type { Program } from "./programs.ts";

/** Files that a program reads instead of secrets in its environment. */
export interface ConnectionFiles {
  password: string;
  ca: string;
}

/** Settings of sessions that load a dump: no time limit, and write access. pg_dump sets what it needs itself. */
const loadSettings = { ...limitSettings, default_transaction_read_only: "off" };

/**
 * Returns the environment that leads one of PostgreSQL's programs to a server. It has no secrets. The database is a
 * variable, because a name such as `a=b` in an argument would be read as a connection string.
 */
export function programEnvironment(
  { host, port, user, database, sslmode }: Connection,
  program: Program,
  files: ConnectionFiles,
): Record<string, string> {
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGSSLMODE: host.startsWith("/") ? "disable" : sslmode,
    PGSSLROOTCERT: files.ca,
    PGPASSFILE: files.password,
    PGAPPNAME: `pgroundwork ${program}`,
    PGCONNECT_TIMEOUT: "10",
    // The kit reads the programs' messages.
    LC_ALL: "C",
    ...(program === "pg_dump" || program === "pg_dumpall" ? {} : { PGOPTIONS: settingsOptions(loadSettings) }),
  };
}

/** Formats the file with the password of every connection of a program. */
export function passwordFile({ password = "" }: Connection): string {
  return `*:*:*:*:${password.replaceAll(/[\\:]/g, "\\$&")}\n`;
}

/** Returns the CA certificates to trust (PEM): those of the connection, or Node's own list. Empty: none are needed. */
export async function trustedCertificates({ ca, sslrootcert, sslmode, host }: Connection): Promise<string> {
  if (sslmode === "disable" || host.startsWith("/")) return "";
  if (ca !== undefined) return ca;
  if (sslrootcert !== undefined) return (await import("node:fs/promises")).readFile(sslrootcert, "utf8");
  // With a file, libpq verifies the certificate in the mode `require`, too.
  return sslmode === "require" ? "" : process.getBuiltinModule("node:tls").rootCertificates.join("\n");
}

/** Returns the connection string that names only a database, for `pg_restore --dbname`. */
export function databaseOption(database: string): string {
  return `--dbname=dbname='${database.replaceAll(/[\\']/g, "\\$&")}'`;
}
