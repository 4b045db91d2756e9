import type { ServerSettings } from "../server/configuration.ts";

/** Where things are in a container of the kit's image. */
export const paths = {
  /** The volume with the cluster, and the cluster in it. */
  data: "/var/lib/postgresql",
  dataDirectory: "/var/lib/postgresql/17/data",
  /** The volume with configuration, keys and certificates. */
  configuration: "/etc/pgroundwork",
  /** The socket's folder. */
  run: "/var/run/postgresql",
} as const;

/** Names of the files in the volume with the configuration. */
export const files = {
  postgresql: "postgresql.conf",
  hba: "pg_hba.conf",
  ident: "pg_ident.conf",
  certificate: "tls/server.crt",
  key: "tls/server.key",
} as const;

/** Settings that a server in a container always has: TLS from 1.2 on for what comes over the network, its log where Docker takes it. */
export const baseSettings: ServerSettings = {
  // The network is the container's own; what is published of it, Docker decides.
  listen_addresses: "*",
  port: "5432",
  unix_socket_directories: paths.run,
  password_encryption: "scram-sha-256",
  ssl: "on",
  ssl_cert_file: `${paths.configuration}/${files.certificate}`,
  ssl_key_file: `${paths.configuration}/${files.key}`,
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
