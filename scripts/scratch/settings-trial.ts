import { chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withClient } from "../connection/client.ts";
import { ConnectionError } from "../connection/connection-error.ts";
import { unlessAbsent } from "../core/absent.ts";
import { temporaryFor } from "../core/temporary.ts";
import type { Account } from "../server/account.ts";
import { configurationFile, renderConfiguration, type ServerSettings } from "../server/configuration.ts";
import {
  type SettingsTrial,
  startRefusal,
  TrialRefused,
  type TriedSettings,
  trialOptions,
  triedSettingsQuery,
  trySettings,
} from "../server/settings-trial.ts";
import { initialise, scratchLogin, temporaryFolder, untilReadyOrEnded } from "./embedded-cluster.ts";
import { removeAbandoned, scratchPrefix, writeHolder } from "./left-behind.ts";
import { watchServer } from "./watched-server.ts";

/**
 * Starts a throwaway cluster with settings on the embedded binaries, and refuses them if it does not start. Files that
 * the server's own postgresql.conf includes apply, too, and ALTER SYSTEM.
 *
 * @throws OperationError with PostgreSQL's message; NotTried if no cluster can be created
 */
export const tryStartEmbedded: SettingsTrial = async (trial) => {
  const { settings, live, dataDirectory, account } = trial;
  const written: string[] = [];
  const write = async (path: string, text: string) => {
    written.push(path);
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
    if (account !== undefined) await chown(path, account.uid, account.gid);
  };
  // Beside the files that they replace, because those can include others by a relative path.
  const ours = temporaryFor(join(dataDirectory, "pgroundwork.check"));
  const main = temporaryFor(join(dataDirectory, "pgroundwork.check"));
  try {
    await write(ours, renderConfiguration(settings));
    const text = await readFile(join(dataDirectory, "postgresql.conf"), "utf8");
    await write(main, withInclude(text, ours));
    await trySettings(settings, live, (overrides) => tryOnce(trial, main, overrides));
  } finally {
    for (const path of written) await rm(path, { force: true });
  }
};

/** Replaces the line that includes the kit's own file, or adds it. */
function withInclude(text: string, file: string): string {
  const line = `include_if_exists '${file.replaceAll("'", "''")}'`;
  const lines = text.split("\n");
  const own = `include_if_exists '${configurationFile}'`;
  return lines.includes(own) ? lines.map((each) => (each === own ? line : each)).join("\n") : `${text}\n${line}\n`;
}

async function tryOnce(
  { binaries, account, dataDirectory }: Parameters<SettingsTrial>[0],
  configuration: string,
  overrides: ServerSettings,
): Promise<TriedSettings> {
  const parent = await temporaryFolder(account);
  await removeAbandoned(parent);
  const folder = await mkdtemp(join(parent, scratchPrefix));
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  await writeHolder(folder);
  const data = join(folder, "data");
  const options = trialOptions({ configuration, dataDirectory: data, socketDirectory: folder, overrides });
  const server = watchServer(binaries.postgres, folder, account, options);
  try {
    const password = await initialise(binaries, folder, account);
    await copyAltered(dataDirectory, data, account);
    server.start();
    const ended = await untilReadyOrEnded(folder, server, undefined);
    if (ended !== undefined) throw new TrialRefused(startRefusal(ended));
    return await queryTried(folder, password);
  } finally {
    await server.end();
  }
}

/** Copies what ALTER SYSTEM wrote. */
async function copyAltered(from: string, to: string, account: Account | undefined): Promise<void> {
  const name = "postgresql.auto.conf";
  const text = await unlessAbsent(readFile(join(from, name), "utf8"));
  await writeFile(join(to, name), text ?? "", { mode: 0o600 });
  if (account !== undefined) await chown(join(to, name), account.uid, account.gid);
}

async function queryTried(folder: string, password: string): Promise<TriedSettings> {
  try {
    return await withClient(scratchLogin(folder, password), async (client) => {
      const { rows } = await client.query<TriedSettings>(triedSettingsQuery);
      return rows[0] as TriedSettings;
    });
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    // The server's own words, without the address of the throwaway server.
    throw new TrialRefused(error.cause instanceof Error ? error.cause.message : error.message);
  }
}
