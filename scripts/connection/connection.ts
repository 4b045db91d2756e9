import { readFileSync } from "node:fs";
import type { PeerCertificate } from "node:tls";
import type { ClientConfig } from "pg";
import { OperationError } from "../core/operation-error.ts";

/** libpq's modes that the kit accepts. Connections beyond this machine should use `verify-full`. */
export const sslModes = ["disable", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof sslModes)[number];

/** Parameters to connect to one database of one server, from any source (stack, `DATABASE_URL`, `DB_*`, `PG*`). */
export interface Connection {
  /** Name or address. A path that begins with `/` is the folder of a Unix socket. */
  host: string;
  /** TCP port, 1 to 65535. */
  port: number;
  database: string;
  user: string;
  password?: string | undefined;
  sslmode: SslMode;
  /** File with the CA certificates to trust instead of Node's own list (PEM). */
  sslrootcert?: string | undefined;
  /** The CA certificates themselves (PEM), if there is no file of them. Takes precedence over `sslrootcert`. */
  ca?: string | undefined;
}

/** Time limit of a connection attempt in ms, after which the server counts as unreachable. */
const connectionTimeoutMillis = 10_000;

/** Returns the same connection to another database of the server. */
export function inDatabase(connection: Connection, database: string): Connection {
  return { ...connection, database };
}

/**
 * Returns the settings for `new pg.Client()`. `pg_stat_activity` shows `application_name`, so that messages can name
 * the holder of a lock.
 */
export function clientConfig(connection: Connection, applicationName = "pgroundwork"): ClientConfig {
  return {
    host: connection.host,
    port: connection.port,
    database: connection.database,
    user: connection.user,
    password: connection.password,
    ssl: sslConfig(connection),
    application_name: applicationName,
    connectionTimeoutMillis,
    keepAlive: true,
  };
}

/** Reads the mode as libpq does, including sockets and `require` with CA certificates. */
function sslConfig(connection: Connection): ClientConfig["ssl"] {
  const { host, sslmode } = connection;
  // A socket does not leave the machine, and no server uses TLS on one.
  if (sslmode === "disable" || host.startsWith("/")) return false;
  const trusted = trustedCas(connection);
  if (sslmode === "require" && trusted.ca === undefined) return { rejectUnauthorized: false };
  // The driver passes no address to Node, which would then check "localhost". So the name is checked here.
  const checkServerIdentity = (_host: string, certificate: PeerCertificate) =>
    process.getBuiltinModule("node:tls").checkServerIdentity(host, certificate);
  return {
    rejectUnauthorized: true,
    checkServerIdentity: sslmode === "verify-full" ? checkServerIdentity : () => undefined,
    ...trusted,
  };
}

function trustedCas({ ca, sslrootcert }: Connection): { ca?: string } {
  if (ca !== undefined) return { ca };
  if (sslrootcert === undefined) return {};
  const bundle = readCaFile(sslrootcert);
  // Node would accept any text, trust no CA, and report an error about the server's certificate.
  if (bundle.includes("-----BEGIN CERTIFICATE-----")) return { ca: bundle };
  throw new OperationError(`The CA file "${sslrootcert}" contains no certificate (PEM).`, {
    hint: "Correct sslrootcert, or remove it to trust Node's own list of CAs.",
  });
}

function readCaFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new OperationError(`Cannot read the CA file "${file}".`, {
      hint: "Correct sslrootcert, or remove it to trust Node's own list of CAs.",
      cause,
    });
  }
}

/** Returns true if the server is on this machine, so that its traffic never crosses a network. */
export function isLocalHost(host: string): boolean {
  return host.startsWith("/") || host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Returns the connection as a `postgresql://` URL. It contains the password and is a secret. */
export function connectionUrl(connection: Connection): string {
  const user = encodeURIComponent(connection.user);
  const password = connection.password === undefined ? "" : `:${encodeURIComponent(connection.password)}`;
  const parameters = new URLSearchParams();
  let authority: string;
  if (connection.host.startsWith("/")) {
    // A socket's folder cannot be in the place of a host, and a URL without a host cannot contain a user before it.
    parameters.set("host", connection.host);
    parameters.set("port", String(connection.port));
    parameters.set("user", connection.user);
    if (connection.password !== undefined) parameters.set("password", connection.password);
    authority = "";
  } else {
    const host = connection.host.includes(":") ? `[${connection.host}]` : connection.host;
    authority = `${user}${password}@${host}:${connection.port}`;
  }
  parameters.set("sslmode", connection.sslmode);
  if (connection.sslrootcert !== undefined) parameters.set("sslrootcert", connection.sslrootcert);
  // libpq reads a plus sign literally, not as a space as in an HTML form.
  const query = parameters.toString().replaceAll("+", "%20");
  return `postgresql://${authority}/${encodeURIComponent(connection.database)}?${query}`;
}

/** Formats the connection for messages: `user@host:port/database`, never the password. */
export function describeConnection(connection: Connection): string {
  const host = connection.host.includes(":") ? `[${connection.host}]` : connection.host;
  return `${connection.user}@${host}:${connection.port}/${connection.database}`;
}
