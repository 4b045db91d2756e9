import { readFile } from "node:fs/promises";
import { z } from "zod";
import { type Connection, inDatabase } from "../../connection/connection.ts";
import type { Known } from "../../core/known.ts";
import { OperationError } from "../../core/operation-error.ts";
import {
  type ExpectedBackups,
  type HealthServerConfiguration,
  healthPaths,
  healthPort,
} from "../../model/health-server.ts";
import type { HealthSettings } from "../collector.ts";
import { countsPath, parseCountedErrors } from "../counted-errors.ts";
import { readCronJobs } from "../jobs.ts";
import { measureBackups, measureOperations } from "../measured-backups.ts";
import { type MetricFiles, readMetricFiles } from "../metric-files.ts";
import { settingsFromEnvironment } from "../settings.ts";
import { readVolumeExporter } from "../volume-exporter.ts";
import { serveHealth } from "./serve.ts";

/* The program of the container in which a stack's health server runs. Its configuration and secrets are files. */

const configurationFile: z.ZodType<HealthServerConfiguration> = z.strictObject({
  version: z.string(),
  server: z.strictObject({ host: z.string(), port: z.number() }),
  user: z.string(),
  databases: z.array(z.string()),
  hostNames: z.array(z.string()),
  backups: z
    .strictObject({
      repositories: z.number(),
      intervals: z.strictObject({ full: z.number(), incr: z.number() }).nullable(),
      drillMaxAge: z.number().nullable(),
      dumpMaxAge: z.number().nullable(),
    })
    .nullable(),
});

try {
  await serve();
} catch (error) {
  process.stderr.write(`error: ${error instanceof OperationError ? error.text : String(error)}\n`);
  process.exitCode = 1;
}

/** Serves until the container is stopped. */
async function serve(): Promise<void> {
  const read = async (path: string) => (await readFile(path, "utf8")).trim();
  const configuration = configurationFile.parse(JSON.parse(await read(healthPaths.configuration)));
  const { version, hostNames } = configuration;
  const connection: Connection = {
    ...configuration.server,
    // Every server has this database, and it is never renamed.
    database: "postgres",
    user: configuration.user,
    password: await read(healthPaths.password),
    sslmode: "verify-full",
    sslrootcert: healthPaths.ca,
  };
  const server = await serveHealth({
    ...{ connection, version, hostNames },
    settings: settingsOf(configuration, connection),
    // The network of the container reaches it. Outside, its port is open on the engine's machine only.
    host: "0.0.0.0",
    port: healthPort,
    token: await read(healthPaths.token),
    historyFile: healthPaths.history,
  });
  process.stdout.write(`listening on port ${healthPort}\n`);
  for (const signal of ["SIGTERM", "SIGINT"])
    process.once(signal, () => {
      void server.stop().then(() => process.exit(0));
    });
}

function settingsOf({ databases, backups, server }: HealthServerConfiguration, connection: Connection): HealthSettings {
  const measured =
    <Value>(read: (files: MetricFiles, expected: ExpectedBackups) => Value) =>
    async (): Promise<Known<{ value: Value | null }>> => {
      if (backups === null) return { known: true, value: null };
      const files = await readMetricFiles(healthPaths.metrics);
      return files.known ? { known: true, value: read(files, backups) } : files;
    };
  return {
    ...settingsFromEnvironment(process.env),
    ...(databases.length === 0
      ? {}
      : { databases: databases.map((name) => ({ connection: inDatabase(connection, name) })) }),
    readBackups: measured((files, expected) => measureBackups(files, expected, databases, new Date())),
    readJobs: () => readCronJobs(connection),
    readOperations: measured((files) => measureOperations(files, new Date())),
    readHost: () => readVolumeExporter(),
    readErrors: async () => parseCountedErrors(await textOf(countsPath), server.host),
  };
}

/** Returns the text of a file; undefined if it cannot be read. */
async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
