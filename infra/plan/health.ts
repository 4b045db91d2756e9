import { type HealthServerConfiguration, healthPaths } from "../../scripts/model/health-server.ts";
import { type HealthLimitName, healthLimitNames, healthVariables } from "../../scripts/model/health-settings.ts";
import { containerPaths } from "./container.ts";

/** Plans the container of the health server. Paths match infra/images/monitoring. */

/** The health server of a stack. */
export interface HealthArgs {
  /** Databases whose statements and migrations it reads. */
  databases: readonly string[];
  /** Port on the loopback address of the engine's machine. If absent, a free port is chosen once. */
  port?: number | undefined;
  /** Number of repositories with backups of the server. 0 if it has no backups. */
  repositories: number;
  /** Rotation trigger of its token. */
  passwordVersion: string;
  /** Settings that differ from the defaults, as texts of environment variables. */
  limits?: Readonly<Partial<Record<HealthLimitName, string>>> | undefined;
}

/** Returns the environment of its container. */
export function healthEnvironment(limits: HealthArgs["limits"] = {}): string[] {
  return healthLimitNames.flatMap((name) => {
    const text = limits[name];
    return text === undefined ? [] : [`${healthVariables[name].name}=${text}`];
  });
}

/** Command of its container. */
export const healthCommand: readonly string[] = ["/usr/local/lib/pgroundwork/health/health-server"];

/** Folder of its history, the mount path of its volume. */
export const healthData = folderOf(healthPaths.history);

/** Mount path of the volume with the server's log, in which errors are counted. */
export const healthLog = containerPaths.log;

/** Mount path of the volume with metrics of backups and drills. */
export const healthMetrics = healthPaths.metrics;

/** Values of its files. */
export interface HealthFiles<Text> {
  configuration: Omit<HealthServerConfiguration, "server" | "hostNames">;
  password: Text;
  ca: Text;
  token: Text;
}

/**
 * Returns the files of its volume.
 *
 * @param hostName its name in the network
 */
export function healthVolume<Text>(
  { configuration, password, ca, token }: HealthFiles<Text>,
  hostName: string,
): Record<string, Text | string> {
  const complete: HealthServerConfiguration = {
    ...configuration,
    // The server's name in the network, which its certificate contains.
    server: { host: "postgres", port: 5432 },
    hostNames: [hostName],
  };
  return {
    [nameOf(healthPaths.configuration)]: `${JSON.stringify(complete, undefined, 2)}\n`,
    [nameOf(healthPaths.password)]: password,
    [nameOf(healthPaths.ca)]: ca,
    [nameOf(healthPaths.token)]: token,
  };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
