import type { Command } from "commander";
import { type Connection, inDatabase } from "../../../connection/connection.ts";
import type { HealthSettings } from "../../../health/collector.ts";
import type { ServerOutput } from "../../../model/stack-outputs.ts";
import type { CommandContext } from "../../context.ts";
import { databaseOption, stackOption, urlOption } from "../../options.ts";
import { givenConnection, resolveTargets, type Target, type TargetOptions } from "../../target.ts";

export interface HealthTarget extends TargetOptions {
  role: string;
}

/** Adds the options that choose a server and a role. */
export function withHealthTarget(command: Command): Command {
  return command
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .option("-r, --role <name>", "role that logs in to the stack", "monitor");
}

/** A server to observe. */
export interface HealthServerTarget {
  connection: Connection;
  /** The stack's databases, or the named one. undefined: only a connection is known. */
  databases: readonly Pick<Target, "connection" | "folder">[] | undefined;
  /** The stack's server; undefined if only a connection is known. */
  server: ServerOutput | undefined;
}

/** Returns the target: any PostgreSQL by URL or environment, else all databases of the stack, or the named one. */
export async function healthTarget(
  context: CommandContext,
  { role, ...options }: HealthTarget,
): Promise<HealthServerTarget> {
  const given = givenConnection(context, options);
  if (given !== undefined) {
    const connection = options.database === undefined ? given : inDatabase(given, options.database);
    return { connection, databases: undefined, server: undefined };
  }
  const databases = await resolveTargets(context, options, role);
  const [first] = databases;
  if (first === undefined) throw new Error("the stack has no database");
  return { connection: first.connection, databases, server: first.server };
}

/** Returns the settings of a target: those of the environment, and how to read its files and backups. */
export async function healthSettings(
  context: CommandContext,
  { connection, databases, server }: HealthServerTarget,
): Promise<HealthSettings> {
  const { settingsFromEnvironment } = await import("../../../health/settings.ts");
  const { recordComparison } = await import("../../../migrate/compare-records.ts");
  const observed = databases?.map((each) => {
    const compareMigrations = recordComparison(each.folder);
    return { connection: each.connection, ...(compareMigrations === undefined ? {} : { compareMigrations }) };
  });
  const own = observed?.find((each) => each.connection.database === connection.database);
  return {
    ...settingsFromEnvironment(context.env),
    ...(own?.compareMigrations === undefined ? {} : { compareMigrations: own.compareMigrations }),
    ...(observed === undefined ? {} : { databases: observed }),
    ...(server === undefined ? {} : await stackReaders(server)),
    ...(server?.kind === "docker" ? await containerReaders(server) : {}),
    ...(server === undefined || databases === undefined ? {} : { readJobs: await jobReader(server, databases) }),
  };
}

/** Returns how to read what only containers have: the errors in the server's log, its machine, and the pooler. */
async function containerReaders({
  dockerHost,
  container,
  pooler,
}: Extract<ServerOutput, { kind: "docker" }>): Promise<Pick<HealthSettings, "readErrors" | "readHost" | "readPooler">> {
  const { readContainerErrors } = await import("../../../health/container-errors.ts");
  const { readContainerHost } = await import("../../../health/container-host.ts");
  const { engineReader, knownOf } = await import("../../../health/engine-reader.ts");
  const { readPooler } = await import("../../../health/pooler.ts");
  const { cachedStackPart } = await import("../../../health/stack-part.ts");
  const ofServer = {
    readErrors: engineReader(dockerHost, container, readContainerErrors),
    readHost: engineReader(dockerHost, container, readContainerHost),
  };
  if (pooler === undefined) return ofServer;
  const ofPooler = engineReader(dockerHost, pooler.container, (docker, name) => readPooler(docker, name));
  return { ...ofServer, readPooler: cachedStackPart(() => knownOf(ofPooler)) };
}

/** Returns how to read the state of the jobs: those of pg_cron from its database, others from each database. */
async function jobReader(
  { kind }: ServerOutput,
  databases: readonly Pick<Target, "connection" | "folder">[],
): Promise<NonNullable<HealthSettings["readJobs"]>> {
  const { readCronJobs, readRecordedJobs } = await import("../../../health/jobs.ts");
  const { jobsDatabase } = await import("../../../model/cron.ts");
  const [first] = databases;
  if (kind === "docker" && first !== undefined) return () => readCronJobs(inDatabase(first.connection, jobsDatabase));
  const { jobsOfFolder } = await import("../../../stack/job-state.ts");
  return async () =>
    readRecordedJobs(
      await Promise.all(
        databases.map(async ({ connection, folder }) => ({ connection, jobs: await jobsOfFolder(folder) })),
      ),
    );
}

/** Returns how to read what a stack's server does not tell in a session. */
async function stackReaders(server: ServerOutput): Promise<Pick<HealthSettings, "readBackups" | "readOperations">> {
  const { cachedStackPart } = await import("../../../health/stack-part.ts");
  const { readBackupState } = await import("../../../stack/backup-state.ts");
  const { readRecentOperations } = await import("../../../stack/recent-operations.ts");
  return {
    readBackups: cachedStackPart(async () => {
      const state = await readBackupState(server, new Date());
      if (state === null) return { known: true, value: null };
      if (!state.known) return state;
      const { known: _, ...value } = state;
      return { known: true, value: { source: "repository", ...value } };
    }),
    readOperations: cachedStackPart(() => readRecentOperations(server)),
  };
}
