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
} as const;

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
  /** True if the stack makes backups. */
  backups: boolean;
}
