import { readFileSync } from "node:fs";
import type { PeerCertificate } from "node:tls";
import type { ClientConfig } from "pg";
import { OperationError } from "../errors/operation-error.ts";

/** libpq's modes that the kit accepts. `verify-full` is what everything should use beyond the machine itself. */
export const sslModes = ["disable", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof sslModes)[number];

/** One way into one database of one server, whatever it was found by (stack, `DATABASE_URL`, `DB_*`, `PG*`). */
export interface Connection {
  /** Name or address; a path that begins with `/` is the folder of a Unix socket. */
  host: string;
  /** TCP port, 1 to 65535. */
  port: number;
  database: string;
  user: string;
  password?: string | undefined;
  sslmode: SslMode;
  /** File with the certificate authorities to trust instead of Node's own list (PEM). */
  sslrootcert?: string | undefined;
  /** The authorities themselves (PEM), where there is no file of them; they win. */
  ca?: string | undefined;
}

/** How long a connection attempt may take, in ms, before the server counts as unreachable. */
const connectionTimeoutMillis = 10_000;

/** The same connection to another database of the server. */
export function inDatabase(connection: Connection, database: string): Connection {
  return { ...connection, database };
}

/** Settings for `new pg.Client()`. Shown in `pg_stat_activity` as `application_name`, so that a lock's holder can be named. */
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

/** As libpq reads the mode, sockets and `require` with authorities included. */
function sslConfig(connection: Connection): ClientConfig["ssl"] {
  const { host, sslmode } = connection;
  // A socket does not leave the machine; no server speaks TLS on one.
  if (sslmode === "disable" || host.startsWith("/")) return false;
  const trusted = trustedAuthorities(connection);
  if (sslmode === "require" && trusted.ca === undefined) return { rejectUnauthorized: false };
  // The driver names no address to Node, which then checks "localhost" in its place: the name is checked here.
  const checkServerIdentity = (_host: string, certificate: PeerCertificate) =>
    process.getBuiltinModule("node:tls").checkServerIdentity(host, certificate);
  return {
    rejectUnauthorized: true,
    checkServerIdentity: sslmode === "verify-full" ? checkServerIdentity : () => undefined,
    ...trusted,
  };
}

function trustedAuthorities({ ca, sslrootcert }: Connection): { ca?: string } {
  if (ca !== undefined) return { ca };
  if (sslrootcert === undefined) return {};
  const bundle = readAuthorities(sslrootcert);
  // Node would take any text, trust nobody, and say so of the server's certificate.
  if (bundle.includes("-----BEGIN CERTIFICATE-----")) return { ca: bundle };
  throw new OperationError(`The certificate authorities' file "${sslrootcert}" holds no certificate (PEM).`, {
    remedy: "Correct sslrootcert, or leave it out to trust Node's own list.",
  });
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new OperationError(`The certificate authorities' file "${file}" cannot be read.`, {
      remedy: "Correct sslrootcert, or leave it out to trust Node's own list.",
      cause,
    });
  }
}

/** Whether the server is on this machine, so that what is sent to it never crosses a network. */
export function isLocalHost(host: string): boolean {
  return host.startsWith("/") || host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The connection as a `postgresql://` URL, password included: a secret. */
export function connectionUrl(connection: Connection): string {
  const user = encodeURIComponent(connection.user);
  const password = connection.password === undefined ? "" : `:${encodeURIComponent(connection.password)}`;
  const parameters = new URLSearchParams();
  let authority: string;
  if (connection.host.startsWith("/")) {
    // A socket's folder cannot stand where a host does, and a URL without a host cannot carry a user there either.
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
  // A space as a plus sign is a form's way of writing: libpq takes the sign for itself.
  const query = parameters.toString().replaceAll("+", "%20");
  return `postgresql://${authority}/${encodeURIComponent(connection.database)}?${query}`;
}

/** The connection for people: `user@host:port/database`, never the password. */
export function describeConnection(connection: Connection): string {
  const host = connection.host.includes(":") ? `[${connection.host}]` : connection.host;
  return `${connection.user}@${host}:${connection.port}/${connection.database}`;
}
