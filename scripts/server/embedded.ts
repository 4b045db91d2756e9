import { access, chown, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import getPort from "get-port";
import { unlessAbsent } from "../files/absent.ts";
import { ConnectionError } from "../target/connection-error.ts";
import { type Account, serverAccount } from "./account.ts";
import { type Binaries, installBinaries } from "./binaries.ts";
import { changeConfiguration, type Installation } from "./change-configuration.ts";
import { checkSettings } from "./check-settings.ts";
import { assertOwned, assertUsable, type ClusterState, clusterState, initialise } from "./cluster.ts";
import {
  baseSettings,
  configuredPort,
  readConfiguration,
  renderConfiguration,
  type ServerSettings,
} from "./configuration.ts";
import { assertOwnToStop, assertUnclaimed } from "./data-directory-claim.ts";
import { type ServerDirectory, serverDirectory } from "./locations.ts";
import { readParameters } from "./parameters.ts";
import { portsFor, requireFreePort } from "./port.ts";
import { findPostmaster, type Postmaster, reload, start, stop } from "./postmaster.ts";
import { withServerLock } from "./server-lock.ts";
import { recordServer, type ServerOwner } from "./server-record.ts";
import { settingFaults, textFaults } from "./setting-faults.ts";
import { changeSuperuserPassword, resetSuperuserPassword } from "./superuser.ts";
import { superuserLogin, withSuperuser } from "./superuser-session.ts";

/** The address that embedded servers listen on: this machine only. */
export const host = "127.0.0.1";

/** What an embedded server shall be. */
export interface EmbeddedServerSpec {
  /** Below it: the copied binaries (see `dataHome`). */
  home: string;
  /** The server's own folder; its data directory is `data` in it. */
  folder: string;
  /** The data directory, where it is not `folder`'s. */
  dataDirectory?: string | undefined;
  /** TCP port; undefined: the one it had, or a free one. */
  port?: number | undefined;
  superuserPassword: string;
  /** The password until now, where it is known: a rotation then needs no restart. */
  previousPassword?: string | undefined;
  /** Settings beside {@link baseSettings}. */
  settings: ServerSettings;
  /** Whose it is, for the record in its folder; undefined: nobody's that is known, and there is no record. */
  owner?: ServerOwner | undefined;
}

/** A server that runs as it was asked to. */
export interface RunningServer extends Postmaster {
  host: string;
  version: string;
  directory: ServerDirectory;
}

/** The directories of a server: data where it was asked for, the log always in the server's own folder. */
export function directoryOf(spec: Pick<EmbeddedServerSpec, "folder" | "dataDirectory">): ServerDirectory {
  const own = serverDirectory(spec.folder);
  return { data: spec.dataDirectory ?? own.data, log: own.log };
}

/** Every setting of the configuration file of a server on a port. */
export function wantedSettings(spec: EmbeddedServerSpec, port: number): ServerSettings {
  return { ...baseSettings({ host, port }, directoryOf(spec).log), ...spec.settings };
}

/** The configuration file's text for a server on a port. */
export function configurationText(spec: EmbeddedServerSpec, port: number): string {
  return renderConfiguration(wantedSettings(spec, port));
}

/** What the superuser's password may be: until now, and from now on. */
export function passwordsOf({ previousPassword, superuserPassword }: EmbeddedServerSpec): [string, ...string[]] {
  return previousPassword === undefined ? [superuserPassword] : [previousPassword, superuserPassword];
}

/**
 * Refuses a data directory that the server cannot have, and leaves everything alone: what a preview can tell, and what is to be known before another
 * directory's server is stopped.
 *
 * @returns what is in it
 * @throws OperationError
 */
export async function checkDataDirectory(spec: EmbeddedServerSpec): Promise<ClusterState> {
  const { data } = directoryOf(spec);
  const state = await clusterState(data);
  assertUsable(state, data);
  // As root this makes the account, which a preview of a first server does not.
  if (state.kind === "cluster") await assertOwned(data, await serverAccount(process.getuid?.()));
  if (spec.owner !== undefined) await assertUnclaimed(data, spec.owner);
  return state;
}

/**
 * Refuses settings that PostgreSQL does not take, and leaves the server alone: what a preview can tell. Without a cluster there is nothing to ask yet.
 *
 * @throws OperationError
 */
export async function checkServerSettings(spec: EmbeddedServerSpec): Promise<void> {
  const { data } = directoryOf(spec);
  if ((await clusterState(data)).kind !== "cluster") return;
  await check(await installBinaries(spec.home), spec, await serverAccount(process.getuid?.()));
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
      // What the program says of the settings has to do.
      if (error instanceof ConnectionError) return [];
      throw error;
    }
  });
}

/**
 * Makes the server what the spec says, from whatever is there: nothing, a cluster that is stopped, one that runs with other settings, one
 * whose password is not known any more. Safe to run again after an interruption at any point. Settings that the server cannot run with are
 * taken back.
 */
export function ensureServer(spec: EmbeddedServerSpec): Promise<RunningServer> {
  return withServerLock(spec.folder, () => ensure(spec));
}

async function ensure(spec: EmbeddedServerSpec): Promise<RunningServer> {
  const directory = directoryOf(spec);
  const hasData = (await checkDataDirectory(spec)).kind === "cluster";
  const account = await serverAccount(process.getuid?.());
  // Before there is data, too: what a killed run leaves of it is found by the record.
  if (spec.owner !== undefined) await recordServer(spec.folder, spec.owner, directory.data, hasData);
  const binaries = await installBinaries(spec.home);
  if (!hasData) {
    await initialise(binaries, directory.data, spec.superuserPassword, account);
    if (spec.owner !== undefined) await recordServer(spec.folder, spec.owner, directory.data);
  }
  await makeLogFolder(directory, account);

  await check(binaries, spec, account);
  const former = await readConfiguration(directory.data);
  const port = spec.port ?? configuredPort(former) ?? (await getPort({ port: portsFor(spec.folder), host }));
  const running = await findPostmaster(directory.data);
  // Before anything is written or stopped: a running server that cannot have its new port keeps the one it has.
  if (running?.port !== port) await requireFreePort(host, port);
  const wanted = configurationText(spec, port);

  const installation = { binaries, directory, account };
  const apply = async () => {
    // Also where the file says already what it should: a run that was killed before it reloaded leaves that.
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
 * Stops the server of a data directory, after a run that is just starting it. True where one was running; the data stays.
 *
 * @param owner who has it stopped; undefined: whoever may, whosever it is
 * @throws OperationError (not allowed) where it is another stack's by now
 */
export async function stopServer(home: string, directory: ServerDirectory, owner?: ServerOwner): Promise<boolean> {
  const folder = dirname(directory.log);
  // Taking the lock would make the folder of a server that was never made.
  if (!(await exists(folder)) && (await findPostmaster(directory.data)) === undefined) return false;
  return withServerLock(folder, async () => {
    if ((await findPostmaster(directory.data)) === undefined) return false;
    if (owner !== undefined) await assertOwnToStop(directory.data, owner);
    return stop(await installBinaries(home), directory, await serverAccount(process.getuid?.()));
  });
}

async function exists(folder: string): Promise<boolean> {
  return (await unlessAbsent(access(folder).then(() => true))) ?? false;
}

async function makeLogFolder(directory: ServerDirectory, account: Account | undefined): Promise<void> {
  await mkdir(directory.log, { recursive: true, mode: 0o700 });
  if (account !== undefined) await chown(directory.log, account.uid, account.gid);
}

/** Reloads the configuration, and restarts where the server says that a setting waits for it (or the port moved). */
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
      // The reload reaches a new session before its first query, since it reads the files itself.
      const { rows } = await client.query("SELECT 1 FROM pg_settings WHERE pending_restart LIMIT 1");
      return rows.length > 0;
    });
  } catch (error) {
    // Where the password is not known, a restart is what surely applies everything, and setting the password needs one anyway. Whatever else keeps
    // this session out, a library that every session shall load among it, is no reason to end the others.
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
