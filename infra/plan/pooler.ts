import { poolerFunction, poolerSchema } from "../../scripts/model/pooler.ts";

/** Plans the containers of a stack's pooler, PgBouncer. Paths match infra/images/pgbouncer. */

/** Names of the containers in the stack's network, and the ports on which they answer. */
export const poolerEndpoints = {
  pooler: { alias: "pooler", port: 6432 },
  exporter: { alias: "pooler-exporter", port: 9127 },
} as const;

export const poolerPaths = {
  /** Mount path of the volume with PgBouncer's files. */
  configuration: "/etc/pgroundwork",
  /** Mount path of the volume with its socket, which the exporter uses. */
  run: "/run/pgbouncer",
} as const;

/** Files in the configuration volume. */
export const poolerFiles = {
  configuration: "pgbouncer.ini",
  users: "userlist.txt",
  certificate: "tls/pooler.crt",
  key: "tls/pooler.key",
  ca: "tls/ca.crt",
} as const;

export const poolerCommand: readonly string[] = [
  "pgbouncer",
  `${poolerPaths.configuration}/${poolerFiles.configuration}`,
];

/**
 * Command of the exporter. PgBouncer trusts its own account on its socket, so that the exporter needs no password,
 * which it would take only from its arguments or its environment.
 */
export const poolerExporterCommand: readonly string[] = [
  "prometheus-pgbouncer-exporter",
  `--pgBouncer.connectionString=user=pgbouncer dbname=pgbouncer host=${poolerPaths.run} port=${poolerEndpoints.pooler.port} sslmode=disable`,
];

/** Connections of a pooler, and how many it may open on the server. */
export interface PoolerSize {
  /** Server connections for one database, shared by its roles. */
  connectionsPerDatabase: number;
  /** Client connections, in all. */
  maxClients: number;
}

/** Share of the server's connections that the pooler takes at most. The rest is for sessions that bypass it. */
const pooledShare = 0.8;

/** PostgreSQL's default of `superuser_reserved_connections`. */
const superuserReserved = 3;

/** Fewest server connections of a database: one for each of the roles that applications use. */
const fewestConnections = 2;

/** Server connections for looking up logins in the database `postgres`. */
const lookupConnections = 2;

/**
 * Plans the number of server connections from the server's settings. All databases together get at most 80 % of the
 * connections that are not reserved. Migrations, monitoring, backups and people connect directly.
 *
 * @param databases number of databases
 * @param poolSize server connections for each database, in place of the plan
 * @throws RangeError if the server does not have the connections
 */
export function planPoolerSize(
  settings: Readonly<Record<string, string>>,
  databases: number,
  { maxClients, poolSize }: { maxClients: number; poolSize?: number | undefined },
): PoolerSize {
  const max = numberOf(settings.max_connections, 100);
  const reserved =
    numberOf(settings.superuser_reserved_connections, superuserReserved) + numberOf(settings.reserved_connections, 0);
  const available = Math.floor((max - reserved) * pooledShare) - lookupConnections;
  const connectionsPerDatabase = poolSize ?? Math.max(Math.floor(available / databases), fewestConnections);
  const needed = connectionsPerDatabase * databases + lookupConnections;
  if (needed > max - reserved)
    throw new RangeError(
      `the pooler would use up to ${needed} connections (${connectionsPerDatabase} for each of ${databases} databases, ` +
        `${lookupConnections} to look up logins), but the server accepts ${max - reserved} from applications`,
    );
  return { connectionsPerDatabase, maxClients };
}

function numberOf(value: string | undefined, usual: number): number {
  const number = Number(value ?? usual);
  // PostgreSQL itself refuses other values.
  return Number.isInteger(number) && number >= 0 ? number : usual;
}

/** Memory of one client connection with TLS, in MB: OpenSSL's buffers and PgBouncer's own. */
const megabytesPerClient = 1 / 16;

/** Returns the memory limit of the pooler's container, in MB. */
export function poolerMemory(maxClients: number): number {
  return 64 + Math.ceil(maxClients * megabytesPerClient);
}

/** Prepared statements that PgBouncer keeps for each server connection. */
const preparedStatements = 200;

export interface PoolerPlan extends PoolerSize {
  /** Databases that clients can connect to. */
  databases: readonly string[];
  /** Role that looks up the passwords of clients. */
  user: string;
}

/**
 * Returns the text of pgbouncer.ini. It contains no password.
 *
 * Clients log in with their own password, whose SCRAM verifier PgBouncer reads from the server at each login, and it
 * logs in to the server with the keys that the client's login has proven. A changed password is valid at once.
 */
export function poolerConfiguration({ databases, user, connectionsPerDatabase, maxClients }: PoolerPlan): string {
  const { configuration, run } = poolerPaths;
  const file = (name: keyof typeof poolerFiles) => `${configuration}/${poolerFiles[name]}`;
  const server = "host=postgres port=5432";
  const lines = databases.map((name) => `${name} = ${server} dbname=${name}`);
  return `; Written by pgroundwork.
[databases]
${lines.join("\n")}
; Logins are looked up here. The roles of applications cannot connect to it.
postgres = ${server} dbname=postgres pool_size=${lookupConnections} max_db_connections=${lookupConnections}

[pgbouncer]
listen_addr = *
listen_port = ${poolerEndpoints.pooler.port}
unix_socket_dir = ${run}
unix_socket_mode = 0700
pidfile =
logfile =
syslog = 0

auth_type = scram-sha-256
auth_file = ${file("users")}
auth_user = ${user}
auth_dbname = postgres
auth_query = SELECT username, password FROM ${poolerSchema}.${poolerFunction}($1)
; The console: over the socket, by PgBouncer's own account only.
admin_users =
stats_users =

client_tls_sslmode = require
client_tls_cert_file = ${file("certificate")}
client_tls_key_file = ${file("key")}
; PgBouncer reads the system's list otherwise, which the image does not have. Clients need no certificate.
client_tls_ca_file = ${file("ca")}
client_tls_protocols = secure
server_tls_sslmode = verify-full
server_tls_ca_file = ${file("ca")}
server_tls_protocols = secure

pool_mode = transaction
max_prepared_statements = ${preparedStatements}
max_client_conn = ${maxClients}
default_pool_size = ${connectionsPerDatabase}
max_db_connections = ${connectionsPerDatabase}
; Drivers for Java send it. It changes how numbers look, not what they are.
ignore_startup_parameters = extra_float_digits

; A client that waits this long for a server connection gets an error, in seconds.
query_wait_timeout = 30
; A server that has restarted, and a role with another password, are tried again after this time, in seconds.
server_login_retry = 1
server_connect_timeout = 5
server_idle_timeout = 600
server_lifetime = 3600
client_login_timeout = 15
tcp_keepalive = 1
tcp_keepidle = 60
tcp_keepintvl = 10
tcp_keepcnt = 3
log_connections = 0
log_disconnections = 0
log_stats = 0
`;
}

/** Returns the text of userlist.txt: the login of the role that looks up all others. */
export function poolerUsers(user: string, password: string): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  return `${quoted(user)} ${quoted(password)}\n`;
}
