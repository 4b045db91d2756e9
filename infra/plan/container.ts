/** Paths in the server's container. They match infra/images/postgres. */
export const containerPaths = {
  /** Mount path of the volume with the cluster. */
  data: "/var/lib/postgresql",
  /** Mount path of the volume with configuration, keys and certificates. */
  configuration: "/etc/pgroundwork",
  /** Mount path of the volume with the server's log as JSON, and the errors that were counted in it. */
  log: "/var/lib/pgroundwork/log",
} as const;

const noPrograms = "rw,noexec,nosuid,nodev";

/**
 * Folders in memory of the server's and the backups container, as Docker mounts them. Everything else that they write
 * is in volumes. What is in these folders is lost with the container and counts as its memory.
 */
export const writableFolders: Readonly<Record<string, string>> = {
  // pgBackRest's locks.
  "/tmp": `${noPrograms},mode=1777,size=64m`,
  // Results of the asynchronous archive-push: one small file for each segment.
  "/var/spool/pgbackrest": `${noPrograms},uid=999,gid=999,mode=0700,size=16m`,
};

/** Files in the configuration volume. */
export const configurationFiles = {
  postgresql: "postgresql.conf",
  hba: "pg_hba.conf",
  ident: "pg_ident.conf",
  certificate: "tls/server.crt",
  key: "tls/server.key",
  backups: "pgbackrest.conf",
} as const;

/**
 * Returns the host name that clients use for a port published by an engine. If the port is bound to all addresses, this
 * is the name of the engine's machine, or 127.0.0.1 if that is undefined.
 */
export function reachableHost(bindAddress: string, engineMachine: string | undefined): string {
  const everywhere = bindAddress === "0.0.0.0" || bindAddress === "::";
  if (everywhere) return engineMachine ?? "127.0.0.1";
  return bindAddress;
}

/**
 * Settings that every server in a container has: TLS 1.2 or later over the network, and a log on stderr, where Docker
 * collects it. With a volume for its log, the image's entry point adds a log in JSON (infra/images/postgres/README.md).
 * It sets log_destination and logging_collector, which would be pending restarts if they were here with other values.
 */
export const containerSettings: Readonly<Record<string, string>> = {
  // The network belongs to the container. Docker decides which ports are published.
  listen_addresses: "*",
  // Reserved for monitoring and backups if applications have taken all other connections.
  reserved_connections: "5",
  port: "5432",
  unix_socket_directories: "/var/run/postgresql",
  password_encryption: "scram-sha-256",
  ssl: "on",
  ssl_cert_file: `${containerPaths.configuration}/${configurationFiles.certificate}`,
  ssl_key_file: `${containerPaths.configuration}/${configurationFiles.key}`,
  ssl_min_protocol_version: "TLSv1.2",
  log_line_prefix: "%m [%p] %q%u@%d %a ",
  log_lock_waits: "on",
  log_temp_files: "0",
};

/**
 * pg_hba.conf: peer on the socket, scram-sha-256 over TLS, everything else rejected. The account postgres can also log
 * in as backup, through {@link identityMap}.
 */
export const hostBasedAuthentication = `# Written by pgroundwork.
local   all          postgres                 peer
local   all          backup                   peer map=backup
hostssl all          all          0.0.0.0/0   scram-sha-256
hostssl all          all          ::/0        scram-sha-256
`;

/** pg_ident.conf: the backup sidecar runs as postgres and logs in as the role backup. */
export const identityMap = `# Written by pgroundwork.
backup postgres backup
`;

/**
 * Times of the HEALTHCHECK in the image's Dockerfile, as the docker provider writes them. A check costs about a tenth
 * of a second of processor time, most of it in the engine.
 */
export const imageHealthcheck = { interval: "15s", timeout: "5s", startPeriod: "10m0s", retries: 3 } as const;
