import { ConnectionError } from "../connection/connection-error.ts";
import { OperationError } from "../core/operation-error.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { writeConfiguration } from "./configuration.ts";
import type { ServerDirectory } from "./locations.ts";
import { findPostmaster, type Postmaster, reload, StartError, start, stop } from "./postmaster.ts";

/** Everything that is needed to start and stop a server. */
export interface Installation {
  binaries: Binaries;
  directory: ServerDirectory;
  account: Account | undefined;
}

/** Replacement of a configuration file, and the server that runs with it. */
export interface ConfigurationChange {
  /** Previous text of the file. undefined if there was none. */
  former: string | undefined;
  wanted: string;
  /** undefined if the server is stopped. */
  running: Postmaster | undefined;
}

/**
 * Writes a changed configuration and calls `apply` to put it into effect. If that fails, the previous file and the
 * previous state of the server are restored. PostgreSQL cannot run with every value that it can parse.
 *
 * @throws OperationError of `apply`; its hint says how the server was left
 */
export async function changeConfiguration(
  installation: Installation,
  change: ConfigurationChange,
  apply: () => Promise<Postmaster>,
): Promise<Postmaster> {
  const { directory, account } = installation;
  await writeConfiguration(directory.data, change.wanted, account);
  try {
    return await apply();
  } catch (error) {
    if (change.former === undefined) throw error;
    const outcome = await restoreSettings(installation, change.former, change.running);
    if (!(error instanceof OperationError)) throw error;
    throw new OperationError(error.message, {
      hint: [outcome.back ? advice(error) : error.hint, outcome.state].filter(Boolean).join(" "),
      exitCode: error.exitCode,
      cause: error,
    });
  }
}

interface Outcome {
  /** True if the server is as it was before. */
  back: boolean;
  /** The same as a sentence. */
  state: string;
}

async function restoreSettings(
  { binaries, directory, account }: Installation,
  former: string,
  before: Postmaster | undefined,
): Promise<Outcome> {
  try {
    await writeConfiguration(directory.data, former, account);
    const now = await findPostmaster(directory.data);
    if (before === undefined) {
      if (now !== undefined) await stop(binaries, directory, account);
      return { back: true, state: "The server is stopped, as before, and has its former settings." };
    }
    if (now?.pid === before.pid) {
      await reload(binaries, directory, account);
      return { back: true, state: "The server runs on with its former settings." };
    }
    if (now !== undefined) await stop(binaries, directory, account);
    await start(binaries, directory, account);
    return { back: true, state: "The server runs again with its former settings." };
  } catch (error) {
    const state =
      error instanceof StartError
        ? "Its former settings were restored, but it does not start with them either."
        : `Cannot restore its former settings: ${(error as Error).message}`;
    return { back: false, state };
  }
}

/** Returns the hint for a failure that the previous settings do not have. */
function advice(error: OperationError): string | undefined {
  const bySetting =
    (error instanceof StartError && !error.portTaken) ||
    (error instanceof ConnectionError && error.failure === "other");
  return bySetting ? "Correct pgroundwork:postgresql or the setting that the error names (pulumi config)." : error.hint;
}
