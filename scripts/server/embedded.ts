import { access, chown, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import getPort from "get-port";
import { ConnectionError } from "../connection/connection-error.ts";
import { unlessAbsent } from "../core/absent.ts";
import { OperationError } from "../core/operation-error.ts";
import { removeLeftTemporaries } from "../core/temporary.ts";
import { type Account, serverAccount } from "./account.ts";
import { type Binaries, installBinaries } from "./binaries.ts";
import { changeConfiguration, type Installation } from "./change-configuration.ts";
import { checkSettings } from "./check-settings.ts";
import { assertOwned, assertUsable, type ClusterState, clusterState, initialise } from "./cluster.ts";
import { completeExchange } from "./cluster-exchange.ts";
import {
  baseSettings,
  configuredPort,
  parseConfiguration,
  readConfiguration,
  renderConfiguration,
  type ServerSettings,
} from "./configuration.ts";
import { assertOwnToStop, assertUnclaimed } from "./data-directory-claim.ts";
import { describeSpace, diskSpaceAt, isLow } from "./disk-space.ts";
import { type ServerDirectory, serverDirectory } from "./locations.ts";
import { readParameters } from "./parameters.ts";
import { portsFor, requireFreePort } from "./port.ts";
import { findPostmaster, type Postmaster, reload, start, stop } from "./postmaster.ts";
import { withServerLock } from "./server-lock.ts";
import { recordServer, type ServerOwner } from "./server-record.ts";
import { settingFaults, textFaults } from "./setting-faults.ts";
import { type LiveState, liveStateQuery, refuseLackingStandbys, type SettingsTrial } from "./settings-trial.ts";
import { changeSuperuserPassword, resetSuperuserPassword } from "./superuser.ts";
import { superuserLogin, withSuperuser } from "./superuser-session.ts";

/** Address that embedded servers listen on: this machine only. */
export const host = "127.0.0.1";

/** Desired state of an embedded server. */
export interface EmbeddedServerSpec {
  /** Folder that contains the copied binaries (see `dataHome`). */
  home: string;
  /** The server's own folder. By default its data directory is `data` in it. */
  folder: string;
  /** Data directory, if it is outside `folder`. */
  dataDirectory?: string | undefined;
  /** TCP port. If undefined, the previous port or a free one. */
  port?: number | undefined;
  superuserPassword: string;
  /** Previous password, if known. A rotation then needs no restart. */
  previousPassword?: string | undefined;
  /** Settings in addition to {@link baseSettings}. */
  settings: ServerSettings;
  /** Owner for the record in the server's folder. If undefined, no record is written. */
  owner?: ServerOwner | undefined;
}

/** A running server in its desired state. */
export interface RunningServer extends Postmaster {
  host: string;
  version: string;
  directory: ServerDirectory;
}

/**
 * Returns the directories of a server. The data directory can be elsewhere; the log is always in the server's own
 * folder.
 */
export function directoryOf(spec: Pick<EmbeddedServerSpec, "folder" | "dataDirectory">): ServerDirectory {
  const own = serverDirectory(spec.folder);
  return { data: spec.dataDirectory ?? own.data, log: own.log };
}

/** Returns all settings in the configuration file of a server on a port. */
export function wantedSettings(spec: EmbeddedServerSpec, port: number): ServerSettings {
  return { ...baseSettings({ host, port }, directoryOf(spec).log), ...spec.settings };
}

/** Formats the configuration file of a server on a port. */
export function configurationText(spec: EmbeddedServerSpec, port: number): string {
  return renderConfiguration(wantedSettings(spec, port));
}

/** Returns the passwords that the superuser may have: the previous and the new one. */
export function passwordsOf({ previousPassword, superuserPassword }: EmbeddedServerSpec): [string, ...string[]] {
  return previousPassword === undefined ? [superuserPassword] : [previousPassword, superuserPassword];
}

/**
 * Refuses a data directory that the server cannot use, without changing anything. A preview calls it, and `up` before
 * it stops the server of another directory.
 *
 * @returns the content of the directory
 * @throws OperationError
 */
export async function checkDataDirectory(spec: EmbeddedServerSpec): Promise<ClusterState> {
  const { data } = directoryOf(spec);
  const state = await clusterState(data);
  assertUsable(state, data);
  // As root, this creates the account. A preview of a first server does not get here.
  if (state.kind === "cluster") await assertOwned(data, await serverAccount(process.getuid?.()));
  if (spec.owner !== undefined) await assertUnclaimed(data, spec.owner);
  return state;
}

/**
 * Refuses settings that PostgreSQL does not accept, without changing the server. A preview calls it. Without a cluster,
 * nothing can be checked yet.
 *
 * @throws OperationError
 */
export async function checkServerSettings(spec: EmbeddedServerSpec, trial?: SettingsTrial): Promise<void> {
  const { data } = directoryOf(spec);
  if ((await clusterState(data)).kind !== "cluster") return refuseStandbysOfNewServer(spec);
  const [binaries, account] = [await installBinaries(spec.home), await serverAccount(process.getuid?.())];
  await check(binaries, spec, account);
  if (trial !== undefined) await tryChanged(trial, binaries, spec, account);
}

async function check(binaries: Binaries, spec: EmbeddedServerSpec, account: Account | undefined): Promise<void> {
  const { data } = directoryOf(spec);
  await checkSettings(binaries, data, spec.settings, account, async (refused) => {
    const running = await findPostmaster(data);
    if (running === undefined) return [];
    try {
      return await withSuperuser({ host, port: running.port }, passwordsOf(spec), async (client) => {
        const { byName } = await readParameters(client);
        const faults = refused ? settingFaults(spec.settings, byName) : [];
        const known = new Set(faults.map(({ name }) => name));
        const texts = await textFaults(client, spec.settings, byName);
        return [...faults, ...texts.filter(({ name }) => !known.has(name))];
      });
    } catch (error) {
      // The program's check of the settings has to suffice.
      if (error instanceof ConnectionError) return [];
      throw error;
    }
  });
}

/** @throws OperationError if commits would wait for a standby: a new server has none */
function refuseStandbysOfNewServer({ settings }: EmbeddedServerSpec): void {
  const { synchronous_standby_names: names = "", synchronous_commit: level = "on" } = settings;
  refuseLackingStandbys({ names, level }, []);
}

/**
 * Tries the settings of a running server if they differ from those that it has. Without a running server the start
 * itself is the trial: it stops nothing, and a failed one restores the previous settings.
 */
async function tryChanged(
  trial: SettingsTrial,
  binaries: Binaries,
  spec: EmbeddedServerSpec,
  account: Account | undefined,
): Promise<void> {
  const { data: dataDirectory } = directoryOf(spec);
  const running = await findPostmaster(dataDirectory);
  const former = await readConfiguration(dataDirectory);
  if (running === undefined || former === undefined) return;
  const settings = wantedSettings(spec, running.port);
  if (
    renderConfiguration({ ...parseConfiguration(former), port: String(running.port) }) === renderConfiguration(settings)
  )
    return;
  const live = await withSuperuser({ host, port: running.port }, passwordsOf(spec), async (client) => {
    const { rows } = await client.query<LiveState>(liveStateQuery);
    return rows[0];
  }).catch((error: unknown) => {
    if (error instanceof ConnectionError) return undefined;
    throw error;
  });
  await trial({ binaries, dataDirectory, account, settings, live });
}

/**
 * Brings the server into the desired state from any state. The cluster may be missing or stopped, run with other
 * settings, or have an unknown password. It can be run again after an interruption at any point. If the server cannot
 * run with the new settings, the previous ones are restored.
 *
 * @param trial tries changed settings before a running server gets them
 */
export async function ensureServer(spec: EmbeddedServerSpec, trial?: SettingsTrial): Promise<RunningServer> {
  try {
    return await withServerLock(spec.folder, () => ensure(spec, trial));
  } catch (error) {
    throw (await diskFull(directoryOf(spec), error)) ?? error;
  }
}

/** Explains a file that could not be written because a disk is full. Returns undefined for other errors. */
async function diskFull({ data, log }: ServerDirectory, error: unknown): Promise<OperationError | undefined> {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return undefined;
  const space = await diskSpaceAt(data);
  const isDataFull = space !== undefined && isLow(space);
  const why = isDataFull ? `its disk is full (${describeSpace(space)})` : `a disk is full (${message})`;
  const where = isDataFull ? `the disk of ${data}` : `the disks of ${data} and ${dirname(log)}`;
  return new OperationError(`The server on ${data} cannot be started or changed: ${why}.`, {
    hint: `Free space on ${where}, then run \`up\` again. Committed data is safe in the write-ahead log. Delete nothing in the data directory.`,
    cause: error,
  });
}

async function ensure(spec: EmbeddedServerSpec, trial: SettingsTrial | undefined): Promise<RunningServer> {
  const directory = directoryOf(spec);
  await completeExchange(directory.data);
  const hasData = (await checkDataDirectory(spec)).kind === "cluster";
  if (!hasData) refuseStandbysOfNewServer(spec);
  const account = await serverAccount(process.getuid?.());
  await removeLeftTemporaries(spec.folder);
  // Written before there is data, too. The record leads to the leftovers of a killed run.
  if (spec.owner !== undefined) await recordServer(spec.folder, spec.owner, directory.data, hasData);
  const binaries = await installBinaries(spec.home);
  if (!hasData) {
    await initialise(binaries, directory.data, spec.superuserPassword, account);
    if (spec.owner !== undefined) await recordServer(spec.folder, spec.owner, directory.data);
  }
  await makeLogFolder(directory, account);

  await check(binaries, spec, account);
  if (trial !== undefined) await tryChanged(trial, binaries, spec, account);
  const former = await readConfiguration(directory.data);
  const port = spec.port ?? configuredPort(former) ?? (await getPort({ port: portsFor(spec.folder), host }));
  const running = await findPostmaster(directory.data);
  // Checked before anything is written or stopped. If its new port is in use, a running server keeps the one it has.
  if (running?.port !== port) await requireFreePort(host, port);
  const wanted = configurationText(spec, port);

  const installation = { binaries, directory, account };
  const apply = async () => {
    // Runs even if the file is already as desired, because an earlier run may have been killed before its reload.
    const started =
      running === undefined
        ? await start(binaries, directory, account)
        : await applySettings(installation, running, spec);
    return ensurePassword(installation, started, spec);
  };
  const postmaster =
    wanted === former ? await apply() : await changeConfiguration(installation, { former, wanted, running }, apply);
  return { ...postmaster, host, version: binaries.version, directory };
}

/**
 * Stops the server of a data directory, after waiting for a run that is starting it. The data stays.
 *
 * @param owner owner that requests the stop; omit to skip the ownership check
 * @returns true if a server was running
 * @throws OperationError (not allowed) if another stack has adopted the server
 */
export async function stopServer(home: string, directory: ServerDirectory, owner?: ServerOwner): Promise<boolean> {
  const folder = dirname(directory.log);
  // Taking the lock would create the folder of a server that never existed.
  if (!(await exists(folder)) && (await findPostmaster(directory.data)) === undefined) return false;
  return withServerLock(folder, async () => {
    if ((await findPostmaster(directory.data)) === undefined) return false;
    if (owner !== undefined) await assertOwnToStop(directory.data, owner);
    return stop(await installBinaries(home), directory, await serverAccount(process.getuid?.()));
  });
}

/**
 * Starts the server of a data directory with the settings that it has, after waiting for another run that changes it.
 * Does nothing if it runs.
 *
 * @throws StartError
 */
export async function startServer(home: string, directory: ServerDirectory): Promise<Postmaster> {
  return withServerLock(dirname(directory.log), async () => {
    const running = await findPostmaster(directory.data);
    return running ?? start(await installBinaries(home), directory, await serverAccount(process.getuid?.()));
  });
}

async function exists(folder: string): Promise<boolean> {
  return (await unlessAbsent(access(folder).then(() => true))) ?? false;
}

async function makeLogFolder(directory: ServerDirectory, account: Account | undefined): Promise<void> {
  await mkdir(directory.log, { recursive: true, mode: 0o700 });
  if (account !== undefined) await chown(directory.log, account.uid, account.gid);
}

/**
 * Reloads the configuration. Restarts the server if it reports that a setting, for example its port, needs a restart.
 */
async function applySettings(
  { binaries, directory, account }: Installation,
  running: Postmaster,
  spec: EmbeddedServerSpec,
): Promise<Postmaster> {
  await reload(binaries, directory, account);
  if (!(await needsRestart(running.port, passwordsOf(spec)))) return running;
  await stop(binaries, directory, account);
  return start(binaries, directory, account);
}

async function needsRestart(port: number, passwords: readonly [string, ...string[]]): Promise<boolean> {
  try {
    return await withSuperuser({ host, port }, passwords, async (client) => {
      // The session reads the reloaded files itself before its first query.
      const { rows } = await client.query("SELECT 1 FROM pg_settings WHERE pending_restart LIMIT 1");
      return rows.length > 0;
    });
  } catch (error) {
    // If the password is unknown, a restart is the safe way to apply everything, and setting the password needs one
    // anyway. Other errors are no reason to end the existing sessions, for example a missing library that every session
    // loads.
    if (error instanceof ConnectionError && error.failure === "password") return true;
    throw error;
  }
}

async function ensurePassword(
  { binaries, directory, account }: Installation,
  running: Postmaster,
  spec: EmbeddedServerSpec,
): Promise<Postmaster> {
  if (await canLogIn(running.port, spec.superuserPassword)) return running;
  if (spec.previousPassword !== undefined && (await canLogIn(running.port, spec.previousPassword))) {
    await changeSuperuserPassword(superuserLogin(host, running.port, spec.previousPassword), spec.superuserPassword);
    return running;
  }
  await stop(binaries, directory, account);
  await resetSuperuserPassword(binaries, directory.data, spec.superuserPassword, account);
  return start(binaries, directory, account);
}

async function canLogIn(port: number, password: string): Promise<boolean> {
  try {
    await withSuperuser({ host, port }, [password], (client) => client.query("SELECT 1"));
    return true;
  } catch (error) {
    if (error instanceof ConnectionError && error.failure === "password") return false;
    throw error;
  }
}
