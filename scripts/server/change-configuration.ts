import { OperationError } from "../errors/operation-error.ts";
import { ConnectionError } from "../target/connection-error.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { writeConfiguration } from "./configuration.ts";
import type { ServerDirectory } from "./locations.ts";
import { findPostmaster, type Postmaster, reload, StartError, start, stop } from "./postmaster.ts";

/** What a server is started and stopped with. */
export interface Installation {
  binaries: Binaries;
  directory: ServerDirectory;
  account: Account | undefined;
}

/** A configuration file that is about to be replaced, and the server that runs with it. */
export interface ConfigurationChange {
  /** The file's text until now; undefined: there was none. */
  former: string | undefined;
  wanted: string;
  /** undefined: the server is stopped. */
  running: Postmaster | undefined;
}

/**
 * Writes a changed configuration and has `apply` put it to work. Where that fails, the former one comes back, and the server as it was before:
 * not every value that PostgreSQL can read is one that it can run with.
 *
 * @throws OperationError what `apply` threw; its remedy tells how the server was left
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
    const outcome = await takeBack(installation, change.former, change.running);
    if (!(error instanceof OperationError)) throw error;
    throw new OperationError(error.message, {
      remedy: [outcome.back ? advice(error) : error.remedy, outcome.state].filter(Boolean).join(" "),
      exitCode: error.exitCode,
      cause: error,
    });
  }
}

interface Outcome {
  /** Whether the server is as it was before. */
  back: boolean;
  /** The same as a sentence. */
  state: string;
}

async function takeBack(
  { binaries, directory, account }: Installation,
  former: string,
  before: Postmaster | undefined,
): Promise<Outcome> {
  try {
    await writeConfiguration(directory.data, former, account);
    const now = await findPostmaster(directory.data);
    if (before === undefined) {
      if (now !== undefined) await stop(binaries, directory, account);
      return { back: true, state: "The server is stopped, as it was, and has its former settings." };
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
        ? "Its former settings are back, and it does not start with them either."
        : `Its former settings could not be put to work again: ${(error as Error).message}`;
    return { back: false, state };
  }
}

/** What to do about a failure that the former settings do not have. */
function advice(error: OperationError): string | undefined {
  const bySetting =
    (error instanceof StartError && !error.portTaken) ||
    (error instanceof ConnectionError && error.failure === "other");
  return bySetting
    ? "Correct pgroundwork:postgresql, or the setting that this is about (pulumi config)."
    : error.remedy;
}
