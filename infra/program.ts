import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { OperationError } from "../scripts/core/operation-error.ts";
import {
  type DatabaseFile,
  databaseFolder,
  listDatabases,
  readDatabaseFile,
} from "../scripts/databases/database-file.ts";
import { jobsRunCommand } from "../scripts/model/command-lines.ts";
import { isRealStack } from "../scripts/model/real-data.ts";
import type { StackOutputs } from "../scripts/model/stack-outputs.ts";
import { durabilityRisks } from "../scripts/settings/durability.ts";
import { parseSettings, type Settings } from "../scripts/settings/settings.ts";
import { refuseLocalPassphrase } from "../scripts/stack/stack-secrets.ts";
import { readTopLevelKeys } from "../scripts/stack/top-level-keys.ts";
import { findExisting } from "./components/checks/existing-objects.ts";
import { warnOfRenames } from "./components/checks/renamed-databases.ts";
import { Database } from "./components/database.ts";
import { declareCron } from "./components/jobs.ts";
import { declareServerRoles } from "./components/server-roles.ts";
import { narrowExtensions } from "./plan/extensions.ts";
import { fallbackProviderRefusal } from "./plan/fallback-providers.ts";
import { extensionsOf, rightsOn, serverFor, whatItHas } from "./server.ts";
import type { Declared } from "./sidecars.ts";

// Every resource records where it was declared. Pulumi's launcher sets a hook for this, which reads and parses a source
// map for each file on the stack (0.25 s in all). Node's own trace is already correct, since it strips types in place.
(Error as { prepareStackTrace?: unknown }).prepareStackTrace = undefined;

/** For a database that has no file. Valid settings never name one. */
const emptyFile: DatabaseFile = { extensions: [], seedSets: [] };

/** The project directory. */
const root = fileURLToPath(new URL("..", import.meta.url));
const migrations = "migrations";
const migrationsFolder = join(root, migrations);

/** Declares a stack: one server and the databases on it, as its settings say. */
async function declareStack(): Promise<Declared<StackOutputs>> {
  refuseLocalPassphrase(root, pulumi.getStack(), process.env);
  const names = await listDatabases(migrationsFolder);
  const files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readDatabaseFile(migrationsFolder, name)] as const)),
  );
  const settings = parseSettings(pulumi.runtime.allConfig(), {
    databases: files,
    stack: pulumi.getStack(),
    isSecret,
    topLevel: readTopLevelKeys(root, pulumi.getStack()),
  });
  refuseFallbackProviders(settings);
  warnOfRisks(settings);
  const declared = settings.databases.map((name) => ({ name, file: files[name] ?? emptyFile }));
  const available = await extensionsOf(settings);
  const offered = narrowAll(declared, available, settings.server);
  // A server that could not be queried has been reported.
  const narrowed = available === undefined ? offered : await withRights(offered, settings);

  const withExtensions = narrowed.map(({ name, file }) => ({
    name,
    extensions: file.extensions.map((each) => each.name),
    jobs: jobsIn(file, settings.server).map((each) => each.name),
  }));
  const { server, location, trust, dumps, sidecars } = await serverFor(settings, withExtensions);
  const existing = await findExisting(server, settings.databases);
  const isOwn = (name: string) => settings.server !== "external" || !names.includes(name);
  warnOfRenames(server, existing, settings.databases, isOwn);
  const { passwordVersion, protected: protect, idleInTransactionTimeout } = settings;
  const serverRoles = declareServerRoles("server", { server, existing, passwordVersion, protect });
  const hasJobs = withExtensions.some(({ jobs }) => jobs.length > 0);
  const cron = hasJobs ? declareCron("server", server, protect) : undefined;
  reportJobs(narrowed, settings.server, server);
  const databases = narrowed.map(({ name, file, missing }) => {
    for (const absent of missing) {
      void pulumi.log.info(`${name}: the optional extension ${absent} cannot be created on this server`, server);
    }
    const database = new Database(name, {
      server,
      cron,
      serverRoles: serverRoles.roles,
      existing,
      file,
      folder: databaseFolder(migrations, name),
      seeds: settings.seeds.filter((set) => file.seedSets.includes(set)),
      idleInTransactionSeconds: idleInTransactionTimeout,
      passwordVersion,
      protect,
    });
    return [name, database] as const;
  });

  const pooledDatabases = databases.map(([name, { logins, migrations: applied }]) => ({
    name,
    logins,
    migrations: applied,
  }));
  const {
    backups,
    pooler,
    logins: sidecarLogins,
    ...others
  } = {
    ...(await sidecars?.({ roles: serverRoles, existing, databases: pooledDatabases })),
  };
  return {
    ...others,
    protected: settings.protected,
    server: {
      ...location,
      ...trust,
      host: server.host,
      port: server.port,
      sslmode: server.sslmode,
      version: server.version,
      logins: { superuser: server.superuser, ...serverRoles.logins, ...sidecarLogins },
      ...(backups === undefined ? {} : { backups }),
      ...(dumps === undefined ? {} : { dumps }),
      ...(pooler === undefined ? {} : { pooler }),
    },
    databases: Object.fromEntries(
      databases.map(([name, { logins, migrations, seeds }]) => [name, { logins, migrations, seeds }] as const),
    ),
  };
}

/** Returns true if the stack's configuration has a secret at a key. The engine names the keys in the environment. */
function isSecret(key: string): boolean {
  const keys = process.env.PULUMI_CONFIG_SECRET_KEYS;
  // Without the engine, nothing is known about secrets, and nothing is stored either.
  return keys === undefined || (JSON.parse(keys) as string[]).includes(key);
}

/** Returns the jobs that a kind of server runs itself. */
function jobsIn({ jobs = [] }: DatabaseFile, kind: Settings["server"]) {
  return kind === "docker" ? jobs : [];
}

/** Reports the jobs that the server does not run, and the command that runs them. */
function reportJobs(
  databases: readonly { name: string; file: DatabaseFile }[],
  kind: Settings["server"],
  server: pulumi.Resource,
): void {
  if (kind === "docker") return;
  const names: string[] = [];
  for (const { name, file } of databases) {
    const jobs = file.jobs ?? [];
    if (jobs.some(({ optional }) => !optional)) names.push(name);
    for (const job of jobs.filter(({ optional }) => optional))
      void pulumi.log.info(
        `${name}: the optional job ${job.name} does not run, because this server has no pg_cron`,
        server,
      );
  }
  if (names.length === 0) return;
  const command = jobsRunCommand(pulumi.getStack());
  void pulumi.log.info(
    `This server has no pg_cron: the jobs of ${names.join(", ")} run with \`${command}\`, for which \`setup\` prints the line for cron`,
    server,
  );
}

/** Warns of settings that give up durability. Protected stacks have refused them. */
function warnOfRisks(settings: Settings): void {
  if (settings.server === "external") return;
  for (const { name, value, consequence } of durabilityRisks(settings.postgresql ?? {}))
    void pulumi.log.warn(`postgresql.${name} is ${value}: ${consequence}. A protected stack refuses it.`);
}

/**
 * Narrows the extensions of every database to those that the server has.
 *
 * @throws OperationError that lists every missing required extension, before any resource is declared
 */
function narrowAll(
  databases: readonly { name: string; file: DatabaseFile }[],
  available: ReadonlySet<string> | undefined,
  kind: Settings["server"],
) {
  const narrowed = databases.map(({ name, file }) => {
    if (available === undefined) return { name, file, missing: [], impossible: [] };
    const { extensions, missing, impossible } = narrowExtensions(file.extensions, available);
    return { name, file: { ...file, extensions }, missing, impossible };
  });
  const faults = narrowed.flatMap(({ name, impossible }) =>
    impossible.map((extension) => `- ${name} needs ${extension}`),
  );
  if (faults.length > 0) {
    throw new OperationError(`The ${kind} server does not have these extensions:\n${faults.join("\n")}`, {
      hint: `${whatItHas[kind]} Remove them from database.json, or mark them as optional there.`,
    });
  }
  return narrowed;
}

/**
 * Narrows the extensions of every database to those that the server's admin can create.
 *
 * @throws RunError that lists all rights that the admin lacks, before any resource is declared
 */
async function withRights(databases: ReturnType<typeof narrowAll>, settings: Settings) {
  const leftOut = await rightsOn(
    settings,
    databases.map(({ name, file }) => ({ name, extensions: file.extensions })),
  );
  return databases.map(({ name, file, missing, impossible }) => {
    const isLeftOut = (extension: { name: string }) => leftOut.has(`${name} ${extension.name}`);
    const extensions = file.extensions.filter((extension) => !isLeftOut(extension));
    const absent = file.extensions.filter(isLeftOut).map((extension) => extension.name);
    return { name, file: { ...file, extensions }, missing: [...missing, ...absent], impossible };
  });
}

/** @throws OperationError if the stack does not accept the fallback providers that would run on this machine */
function refuseFallbackProviders({ server, airgap, protected: isProtected }: Settings): void {
  // Set by the process that starts the engine (`pgw`, `pgw engine env`), which knows the plugins that the engine will
  // find.
  const usesDocker = server === "docker";
  const fallbackProviders = (process.env.PGW_FALLBACK_PROVIDERS ?? "")
    .split(",")
    .filter((name) => name !== "" && (name !== "docker" || usesDocker));
  const stack = pulumi.getStack();
  const refusal = fallbackProviderRefusal({
    fallbackProviders,
    airgap,
    stack,
    real: isProtected || isRealStack(stack),
  });
  if (refusal === undefined) return;
  throw new OperationError(refusal, {
    hint: "Install the plugin (`npm run pgw -- engine install` on a machine with network access), or set pgroundwork:airgap to true.",
  });
}

// Pulumi prints a RunError without a stack trace.
const outputs = await declareStack().catch((error: unknown) => {
  throw error instanceof OperationError ? new RunError(error.text) : error;
});

/** Outputs of the stack. */
export default outputs;
