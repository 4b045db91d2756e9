/** The health server of a stack, in a container next to its server. */

/** Port on which it listens in its container. */
export const healthPort = 8080;

/** Its files. The image makes the folders. */
export const healthPaths = {
  configuration: "/etc/pgroundwork/health.json",
  password: "/etc/pgroundwork/password",
  ca: "/etc/pgroundwork/ca.crt",
  token: "/etc/pgroundwork/token",
  history: "/var/lib/pgroundwork/health/history.json",
  /** Folder of the metrics that the containers of backups and drills write. */
  metrics: "/var/lib/pgroundwork/metrics",
} as const;

/** Returns the name of the health container of a server's container. */
export function healthContainer(server: string): string {
  return server.replace(/-postgres$/, "-health");
}

/** The exporter of the stack's volumes: its name in the stack's network, and its port there. */
export const volumeExporter = { host: "volume-exporter", port: 9100 } as const;

/** Parent of the mount paths of all measured volumes in it. The one with the cluster is called `data`. */
export const measuredVolumes = "/volumes";

/** Content of its configuration. It has no secret. */
export interface HealthServerConfiguration {
  /** Version of the kit. */
  version: string;
  /** The server's name in the network, which its certificate contains, and its port there. */
  server: { host: string; port: number };
  /** Login of the health server. Its password is a file. */
  user: string;
  /** Names of the databases whose statements and migrations are read. */
  databases: string[];
  /** Other names of the health server in the Host header. */
  hostNames: string[];
  /** null if the stack makes no backups. */
  backups: ExpectedBackups | null;
}

/** Limits that a stack's settings set for the metrics of its backups. Times in seconds. */
export interface ExpectedBackups {
  /** Number of repositories. */
  repositories: number;
  /** Longest intervals between two full backups, and between any two. null if they are not known. */
  intervals: { full: number; incr: number } | null;
  /** Age at which the last passed restore drill is overdue. null if none are planned. */
  drillMaxAge: number | null;
  /** Age at which the newest dump of a database is too old. null if none are scheduled. */
  dumpMaxAge: number | null;
}
