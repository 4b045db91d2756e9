import { readdir, readFile, readlink, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import pg from "pg";
import type { Connection } from "../../connection/connection.ts";
import { scramVerifier } from "../../connection/scram.ts";
import { unlessAbsent } from "../../core/absent.ts";
import { flushFolder, writeFileAtomically } from "../../core/atomic-file.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { undoRestoreCommand } from "../../model/command-lines.ts";
import { isNothing, type PausedWork, pausedFile } from "../../model/paused-work.ts";
import type { StackOutputs } from "../../model/stack-outputs.ts";
import { serverAccount } from "../../server/account.ts";
import { installBinaries } from "../../server/binaries.ts";
import {
  exchangeClusters,
  isExchanging,
  type SiblingCluster,
  siblingClusters,
  siblingPath,
} from "../../server/cluster-exchange.ts";
import { configurationFile } from "../../server/configuration.ts";
import { assertNotTakenOver } from "../../server/data-directory-claim.ts";
import type { ServerDirectory } from "../../server/locations.ts";
import { findPostmaster, start, stop } from "../../server/postmaster.ts";
import { withServerLock } from "../../server/server-lock.ts";
import type { ServerOwner } from "../../server/server-record.ts";
import { setPasswordsOffline } from "../../server/superuser.ts";
import { noneKept, stillKept } from "../kept-cluster.ts";
import type { SocketServer } from "../restore/contents.ts";
import { type DeclaredAccess, restoreAccess } from "../restore/in-place/access.ts";
import { passwordsOf, type StackDifferences } from "../restore/in-place/logins.ts";
import { pauseWork, resumeWork } from "../restore/in-place/paused-work.ts";
import { asOnlyCommand, removeCluster } from "./only-command.ts";
import { type RestoreArchiveOptions, type RestoredArchive, restoreArchive } from "./restore.ts";
import { serverAt } from "./scratch-server.ts";
import type { DescribedArchive } from "./store.ts";

/** The embedded server of a stack. */
export interface EmbeddedPlace {
  /** Folder of the server's programs. */
  home: string;
  directory: ServerDirectory;
  /** Owner of the data. undefined: it is not checked. */
  owner: ServerOwner | undefined;
}

/** The parts of a stack's outputs that a restore needs. */
type Logins = Pick<StackOutputs, "server" | "databases">;

/** Arguments of a restore in place, an undo or a finish. */
export interface InPlaceOptions extends Omit<RestoreArchiveOptions, "to" | "change"> {
  /** Runs work while no other command changes the stack, with its outputs at that time. */
  exclusively: <T>(work: (outputs: Logins) => Promise<T>) => Promise<T>;
  /** Reads the roles and privileges that the stack's state declares. Omit to leave those of the archive. */
  declaredAccess?: () => Promise<DeclaredAccess>;
  onNote: (text: string) => void;
}

/** Result of {@link restoreArchiveInPlace}. */
export interface ArchiveInPlace extends RestoredArchive {
  /** Folder that keeps the former cluster. */
  kept: string;
  /** Time for which the server was stopped, in seconds. */
  downtimeSeconds: number;
  differences: StackDifferences;
  /** Jobs and subscriptions that do nothing until they are confirmed. */
  paused: PausedWork;
}

/**
 * Restores a physical archive in the place of an embedded server's cluster. It is restored and verified beside the live
 * one, which serves until then. Then the server is stopped, both are exchanged, and the server is started. The former
 * cluster is kept.
 *
 * @param confirm shows what will be lost; throws if it is not wanted
 * @throws OperationError; unless it says otherwise, the live cluster was not changed
 */
export async function restoreArchiveInPlace(
  place: EmbeddedPlace,
  archive: DescribedArchive,
  options: InPlaceOptions,
  confirm: (restored: RestoredArchive, paused: PausedWork) => Promise<void>,
): Promise<ArchiveInPlace> {
  const { data } = place.directory;
  return asOnlyCommand(place, options, async () => {
    const former = await keptCluster(data);
    if (former !== undefined) throw stillKept({ time: former.time, folder: former.path }, stackOf(place));
    await requireNoTablespaces(data);
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
    const restoring = siblingPath(data, "restoring", time);
    const kept = siblingPath(data, "before", time);
    try {
      let paused: PausedWork = { jobsDatabase: null, jobs: [], subscriptions: [] };
      const change = async (server: SocketServer) => {
        paused = await pauseWork(server);
      };
      const restored = await restoreArchive(archive, { ...options, to: restoring, change });
      await confirm(restored, paused);
      options.signal.throwIfAborted();
      await writePaused(restoring, paused);
      return await options.exclusively(async (outputs) => {
        const access = await options.declaredAccess?.();
        const passwords = passwordsOf(outputs, access ?? { passwords: {} });
        const missingRoles = await prepare(place, restoring, passwords);
        const downtimeSeconds = await exchange(place, restoring, kept, options);
        const stillMissing = await completeAccess(outputs, { missingRoles, access, passwords }, options);
        const differences = differencesOf(outputs, restored, stillMissing);
        return { ...restored, kept, downtimeSeconds, differences, paused };
      });
    } catch (error) {
      // After the exchange, it has another name. Until an exchange is complete, it may be the only one with that name.
      if (!(await isExchanging(data))) await removeCluster(restoring);
      throw error;
    }
  });
}

/**
 * Creates roles and privileges that the restored cluster lacks, after its server has started.
 *
 * @returns logins that it still lacks
 */
async function completeAccess(
  outputs: Logins,
  {
    missingRoles,
    access,
    passwords,
  }: { missingRoles: string[]; access: DeclaredAccess | undefined; passwords: ReadonlyMap<string, string> },
  { onNote }: InPlaceOptions,
): Promise<string[]> {
  const { host, port, sslmode, sslrootcert, logins } = outputs.server;
  const { superuser } = logins;
  if (superuser === undefined || access === undefined) return missingRoles;
  const trust = sslrootcert === undefined ? {} : { sslrootcert };
  const server = serverAt({ host, port, sslmode, ...trust, ...superuser });
  await restoreAccess(server, access, (database, reason) =>
    onNote(`Privileges in the database ${database} could not be set: ${reason} \`refresh\`, then \`up\`, set them.`),
  );
  const created = missingRoles.filter((name) => access.roles.some((role) => role.name === name));
  for (const name of created) {
    const verifier = pg.escapeLiteral(await scramVerifier(passwords.get(name) ?? ""));
    await server.execute(`alter role ${pg.escapeIdentifier(name)} password ${verifier}`);
  }
  return missingRoles.filter((name) => !created.includes(name));
}

/** Keeps the list of what is paused in a cluster, or removes that of an earlier restore. */
async function writePaused(cluster: string, paused: PausedWork): Promise<void> {
  const file = join(cluster, pausedFile);
  if (isNothing(paused)) return rm(file, { force: true });
  const account = await serverAccount(process.getuid?.());
  writeFileAtomically(file, `${JSON.stringify(paused)}\n`, { mode: 0o600, account });
}

/**
 * Enables the jobs and subscriptions that a restore in place paused.
 *
 * @throws OperationError (wrong usage) if nothing is paused
 */
export async function resumeArchiveWork(
  { directory }: Pick<EmbeddedPlace, "directory">,
  superuser: Omit<Connection, "database">,
  confirm: (paused: PausedWork) => Promise<void>,
): Promise<PausedWork> {
  return resumeWork(serverAt(superuser), confirm, () => rm(join(directory.data, pausedFile), { force: true }));
}

/**
 * Exchanges the restored cluster with the former one again. What was written since the restore stays in a folder of its
 * own.
 *
 * @throws OperationError (wrong usage) if there is no former cluster
 */
export async function undoArchiveRestore(
  place: EmbeddedPlace,
  options: InPlaceOptions,
  confirm: (time: string) => Promise<void>,
): Promise<{ undone: string; downtimeSeconds: number }> {
  const { data } = place.directory;
  return asOnlyCommand(place, options, async () => {
    const former = await keptCluster(data);
    if (former === undefined) throw noneKept();
    await confirm(former.time);
    const undone = siblingPath(data, "undone", former.time);
    const downtimeSeconds = await options.exclusively(async (outputs) => {
      const access = (await options.declaredAccess?.()) ?? { passwords: {} };
      await prepare(place, former.path, passwordsOf(outputs, access));
      return exchange(place, former.path, undone, options);
    });
    return { undone, downtimeSeconds };
  });
}

/**
 * Removes the clusters that restores in place kept.
 *
 * @throws OperationError (wrong usage) if there are none
 */
export async function finishArchiveRestore(
  place: EmbeddedPlace,
  options: InPlaceOptions,
  confirm: (folders: readonly string[]) => Promise<void>,
): Promise<string[]> {
  const { data } = place.directory;
  return asOnlyCommand(place, options, async () => {
    const kept = await siblingClusters(data);
    if (kept.length === 0) throw noneKept();
    await confirm(kept.map(({ path }) => path));
    options.onStep("removing the former cluster");
    for (const { path, time } of kept) {
      // Renamed first, so that a half removed one is never taken for a cluster.
      const removing = siblingPath(data, "removing", time);
      if (path !== removing) await rename(path, removing);
      await removeCluster(removing);
    }
    await flushFolder(dirname(data));
    return kept.map(({ path }) => path);
  });
}

/**
 * Refuses a cluster with tablespaces outside of its data directory. No archive has them, and `--finish` would leave
 * their folders.
 */
async function requireNoTablespaces(data: string): Promise<void> {
  const entries = (await unlessAbsent(readdir(join(data, "pg_tblspc"), { withFileTypes: true }))) ?? [];
  const links = entries.filter((entry) => entry.isSymbolicLink());
  if (links.length === 0) return;
  const locations = await Promise.all(links.map(({ name }) => readlink(join(data, "pg_tblspc", name))));
  throw new OperationError(`The server has tablespaces (${locations.sort().join(", ")}), which no archive has.`, {
    hint: "Restore the archive to a folder with --to, or drop the tablespaces first. Nothing was changed.",
    exitCode: exitCode.notAllowed,
  });
}

async function keptCluster(data: string): Promise<SiblingCluster | undefined> {
  return (await siblingClusters(data)).find(({ role }) => role === "before");
}

/** Files of the server's configuration, which stay those of the stack. */
const configurationFiles = [configurationFile, "postgresql.conf", "pg_hba.conf", "pg_ident.conf"];

/**
 * Gives a cluster that becomes the live one the stack's configuration and current passwords.
 *
 * @returns logins that the cluster lacks
 */
async function prepare(
  { home, directory }: EmbeddedPlace,
  cluster: string,
  passwords: ReadonlyMap<string, string>,
): Promise<string[]> {
  const account = await serverAccount(process.getuid?.());
  for (const name of configurationFiles) {
    const text = await unlessAbsent(readFile(join(directory.data, name), "utf8"));
    if (text !== undefined) writeFileAtomically(join(cluster, name), text, { mode: 0o600, account });
  }
  return setPasswordsOffline(await installBinaries(home), cluster, passwords, account);
}

/** Exchanges the stopped server's cluster. Returns the time for which the server was stopped, in seconds. */
async function exchange(
  { home, directory, owner }: EmbeddedPlace,
  incoming: string,
  outgoing: string,
  { onStep }: InPlaceOptions,
): Promise<number> {
  const binaries = await installBinaries(home);
  const account = await serverAccount(process.getuid?.());
  return withServerLock(dirname(directory.log), async () => {
    if (owner !== undefined) await assertNotTakenOver(directory.data, owner);
    onStep("stopping the server");
    const began = performance.now();
    const wasRunning = await stop(binaries, directory, account);
    try {
      await exchangeClusters(directory.data, { incoming, outgoing });
    } catch (error) {
      if (wasRunning && (await findPostmaster(directory.data)) === undefined)
        await start(binaries, directory, account).catch(() => {});
      throw error;
    }
    onStep("starting the server");
    await start(binaries, directory, account).catch((error: unknown) => {
      if (!(error instanceof OperationError)) throw error;
      throw new OperationError(error.message, {
        hint: `The clusters are exchanged: the former one is in ${outgoing}. If this was no undo, \`${undoRestoreCommand(stackOf({ owner }))}\` returns to it.`,
        cause: error,
      });
    });
    return (performance.now() - began) / 1_000;
  });
}

/** Returns the stack for commands in messages. */
function stackOf({ owner }: Pick<EmbeddedPlace, "owner">): string {
  return owner?.stack ?? "local";
}

/** Compares a restored cluster with what the stack's outputs say it has. */
function differencesOf(
  { databases }: Logins,
  { migrations: found }: RestoredArchive,
  missingRoles: string[],
): StackDifferences {
  const differences: StackDifferences = { missingRoles, missingDatabases: [], missingMigrations: {} };
  for (const [database, { migrations }] of Object.entries(databases)) {
    const restored = found.find(({ name }) => name === database);
    if (restored === undefined) {
      differences.missingDatabases.push(database);
      continue;
    }
    const numbers = new Set(restored.migrations?.map((file) => file.slice(0, 6)));
    const missing = migrations.filter((file) => !numbers.has(file.slice(0, 6)));
    if (missing.length > 0) differences.missingMigrations[database] = missing;
  }
  return differences;
}
