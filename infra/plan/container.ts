/** Settings of the kit's own for a server in a container, and where its image has things: see infra/images/postgres. */
export const containerPaths = {
  /** The volume with the cluster. */
  data: "/var/lib/postgresql",
  /** The volume with configuration, keys and certificates. */
  configuration: "/etc/pgroundwork",
} as const;

/** Files in the volume with the configuration. */
export const configurationFiles = {
  postgresql: "postgresql.conf",
  hba: "pg_hba.conf",
  ident: "pg_ident.conf",
  certificate: "tls/server.crt",
  key: "tls/server.key",
  backups: "pgbackrest.conf",
} as const;

/** By which machine's name clients reach a port that an engine has opened; undefined where only a setting can tell. */
export function reachableHost(bindAddress: string, engineMachine: string | undefined): string {
  const everywhere = bindAddress === "0.0.0.0" || bindAddress === "::";
  if (everywhere) return engineMachine ?? "127.0.0.1";
  return bindAddress;
}

/** Settings that a server in a container always has: TLS from 1.2 on for what comes over the network, its log where Docker takes it. */
export const containerSettings: Readonly<Record<string, string>> = {
  // The network is the container's own; what is published of it, Docker decides.
  listen_addresses: "*",
  // For who watches the server and makes its backups, where applications have taken all others.
  reserved_connections: "3",
  port: "5432",
  unix_socket_directories: "/var/run/postgresql",
  password_encryption: "scram-sha-256",
  ssl: "on",
  ssl_cert_file: `${containerPaths.configuration}/${configurationFiles.certificate}`,
  ssl_key_file: `${containerPaths.configuration}/${configurationFiles.key}`,
  ssl_min_protocol_version: "TLSv1.2",
  log_destination: "stderr",
  logging_collector: "off",
  log_line_prefix: "%m [%p] %q%u@%d %a ",
  log_lock_waits: "on",
  log_temp_files: "0",
};

/**
 * Who may come in how: over the socket an account of the container's as itself, over the network who speaks TLS and knows a password. Whatever is not
 * named is refused.
 */
export const hostBasedAuthentication = `# Written by pgroundwork.
local   all          postgres                 peer
local   all          backup                   peer map=backup
hostssl all          all          0.0.0.0/0   scram-sha-256
hostssl all          all          ::/0        scram-sha-256
`;

/** The sidecar that makes backups runs as postgres, and logs in as the role for that. */
export const identityMap = `# Written by pgroundwork.
backup postgres backup
`;
