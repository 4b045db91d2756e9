import { type Connection, isLocalHost, type SslMode, sslModes } from "./connection.ts";

/** Parts of a connection as text, before they are checked. An absent or empty part is undefined. */
export interface ConnectionParts {
  host: string | undefined;
  port: string | undefined;
  database: string | undefined;
  user: string | undefined;
  password: string | undefined;
  sslmode: string | undefined;
  sslrootcert: string | undefined;
}

/** Names of the parts in their source, for messages: `DB_HOST`, or `the host in DATABASE_URL`. */
export type PartNames = Record<keyof ConnectionParts, string>;

/** Result of parsing: a connection, or all problems found. */
export type ParsedConnection = { connection: Connection; faults?: never } | { connection?: never; faults: string[] };

const defaultPort = 5432;

/**
 * Modes that make a second attempt with or without TLS. The driver makes no second attempt, so they are read as if
 * absent. Beyond this machine that is never weaker than what they request.
 */
const tryingModes = ["allow", "prefer"];

/**
 * Converts parts to a connection, or returns all problems. Default sslmode: `disable` on this machine, `require`
 * elsewhere (libpq would try TLS and continue without). As in libpq, `require` with a CA file means `verify-ca`.
 */
export function connectionFromParts(parts: ConnectionParts, names: PartNames): ParsedConnection {
  const { host, database, user } = parts;
  const faults: string[] = [];
  if (host === undefined) faults.push(`${names.host} is missing`);
  else if (host.includes(",")) faults.push(`${names.host} contains several hosts ("${host}"); use one`);
  if (database === undefined) faults.push(`${names.database} is missing`);
  if (user === undefined) faults.push(`${names.user} is missing`);
  const port = parts.port === undefined ? defaultPort : Number(parts.port);
  if (!/^\d+$/.test(parts.port ?? "0") || port < 1 || port > 65_535) {
    faults.push(`${names.port} is "${parts.port}", expected a number from 1 to 65535`);
  }
  const sslmode = parseSslMode(parts, host);
  if (sslmode === undefined) {
    faults.push(`${names.sslmode} is "${parts.sslmode}", expected one of ${[...sslModes, ...tryingModes].join(", ")}`);
  }
  if (faults.length > 0 || !host || !database || !user || !sslmode) return { faults };
  const connection: Connection = { host, port, database, user, sslmode };
  if (parts.password !== undefined) connection.password = parts.password;
  // In libpq, `system` means the CAs that the machine trusts anyway.
  if (parts.sslrootcert !== undefined && parts.sslrootcert !== "system") connection.sslrootcert = parts.sslrootcert;
  return { connection };
}

function parseSslMode({ sslmode, sslrootcert }: ConnectionParts, host: string | undefined): SslMode | undefined {
  if (sslmode === undefined || tryingModes.includes(sslmode)) {
    return host === undefined || isLocalHost(host) ? "disable" : "require";
  }
  if (sslmode === "require" && sslrootcert !== undefined) return "verify-ca";
  return sslModes.find((mode) => mode === sslmode);
}
