import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import {
  type DatabaseFile,
  databaseFolder,
  listDatabases,
  readDatabaseFile,
} from "../scripts/database/database-file.ts";
import { OperationError } from "../scripts/errors/operation-error.ts";
import { Database } from "./components/database.ts";
import { findExisting } from "./components/existing.ts";
import { declareServerRoles } from "./components/server-roles.ts";
import { narrowExtensions } from "./plan/extensions.ts";
import { isRealStack } from "./plan/real-data.ts";
import { standInRefusal } from "./plan/stand-ins.ts";
import { extensionsOf, serverFor, whatItHas } from "./server.ts";
import { parseSettings, type Settings } from "./settings.ts";

// Every resource records where it was declared. The hook that Pulumi's launcher sets for that reads and parses a source map for each file on the stack,
// 0.25 s in all; Node's own trace is right as it is, since types are stripped in place.
(Error as { prepareStackTrace?: unknown }).prepareStackTrace = undefined;

/** Settings name only databases that have a file. */
const emptyFile: DatabaseFile = { extensions: [], seedSets: [] };

/** The clone. */
const root = fileURLToPath(new URL("..", import.meta.url));
const migrations = "migrations";
const migrationsFolder = join(root, migrations);

/** A stack: its settings, one server, the databases on it. */
async function declareStack() {
  const names = await listDatabases(migrationsFolder);
  const files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readDatabaseFile(migrationsFolder, name)] as const)),
  );
  const settings = parseSettings(pulumi.runtime.allConfig(), { databases: files, stack: pulumi.getStack() });
  refuseStandIns(settings);
  const declared = settings.databases.map((name) => ({ name, file: files[name] ?? emptyFile }));
  const narrowed = narrowAll(declared, await extensionsOf(settings), settings.server);

  const extensions = narrowed.flatMap(({ file }) => file.extensions.map(({ name }) => name));
  const { server, place, beside } = await serverFor(settings, extensions);
  const existing = await findExisting(server, settings.databases);
  const { passwordVersion: passwordKeeper, protected: protect } = settings;
  const serverRoles = declareServerRoles("server", { server, existing, passwordKeeper, protect });
  const databases = narrowed.map(({ name, file, missing }) => {
    for (const absent of missing) {
      void pulumi.log.info(`${name}: this server has no optional extension ${absent}`, server);
    }
    const database = new Database(name, {
      server,
      serverRoles: serverRoles.roles,
      existing,
      file,
      folder: databaseFolder(migrations, name),
      seeds: settings.seeds.filter((set) => file.seedSets.includes(set)),
      passwordKeeper,
      protect,
    });
    return [name, database] as const;
  });

  const { backups, ...others } = { ...(await beside?.(serverRoles)) };
  return {
    ...others,
    // Commands that seed ask for it.
    protected: settings.protected,
    server: {
      kind: settings.server,
      host: server.host,
      port: server.port,
      sslmode: server.sslmode,
      version: server.version,
      ...place,
      logins: { superuser: server.superuser, ...serverRoles.logins },
      ...(backups === undefined ? {} : { backups }),
    },
    databases: Object.fromEntries(
      databases.map(([name, { logins, migrations, seeds }]) => [name, { logins, migrations, seeds }] as const),
    ),
  };
}

/**
 * Narrows every database's extensions to those that the server has.
 *
 * @throws OperationError with every required one that it has not, before anything is declared
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
      remedy: `${whatItHas[kind]} Take them out of database.json, or mark them optional there.`,
    });
  }
  return narrowed;
}

/** @throws OperationError where the stack is too real for the provider plugins that this machine has */
function refuseStandIns({ server, airgap, protected: isProtected }: Settings): void {
  // Set by what starts the engine (`pgw`, `pgw engine env`), which knows the plugins that it will find.
  const usesDocker = server === "docker";
  const standIns = (process.env.PGW_STAND_INS ?? "")
    .split(",")
    .filter((name) => name !== "" && (name !== "docker" || usesDocker));
  const stack = pulumi.getStack();
  const refusal = standInRefusal({ standIns, airgap, stack, real: isProtected || isRealStack(stack) });
  if (refusal === undefined) return;
  throw new OperationError(refusal, {
    remedy:
      "Make the plugin available (`npm run pgw -- engine install` on a machine with network), or set pgroundwork:airgap to true.",
  });
}

// RunError is what Pulumi prints without a stack trace.
const outputs = await declareStack().catch((error: unknown) => {
  throw error instanceof OperationError ? new RunError(error.text) : error;
});

/** What the stack exports. */
export default outputs;
