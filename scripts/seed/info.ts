import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import { type Connection, describeConnection } from "../connection/connection.ts";
import { ConnectionError } from "../connection/connection-error.ts";
import { OperationError } from "../core/operation-error.ts";
import { readSeedLedger, type SeedRecord } from "./ledger.ts";
import { readSeedSets, type SeedFile, type SeedLogin } from "./seed-file.ts";

/**
 * State of a seed file.
 * - current: recorded with this content; will be skipped.
 * - new: not recorded; will run.
 * - changed: recorded with other content; will run again.
 */
export type SeedState = "current" | "new" | "changed";

/** A seed file, compared with what the database recorded. */
export interface SeedInfo {
  set: string;
  filename: string;
  title: string | undefined;
  logins: SeedLogin[];
  state: SeedState;
  /** The last run; undefined for a new file. */
  record: SeedRecord | undefined;
}

/** State of the seed files, or the reason why it is not known. */
export type SeedAnswer =
  | {
      known: true;
      files: SeedInfo[];
      /** Files that are recorded in one of the sets but no longer exist. */
      withoutFile: SeedRecord[];
    }
  | { known: false; reason: string };

/**
 * Compares the files of the named sets with what one database recorded. Issues no DDL.
 *
 * @throws OperationError for errors in the files; ConnectionError if the database cannot be reached
 */
export async function readSeedInfo(
  connection: Connection,
  folder: string,
  sets: readonly string[],
): Promise<SeedAnswer> {
  const files = await readSeedSets(folder, sets);
  return withClient(connection, (client) => seedInfoOf(client, files, sets), "pgroundwork status");
}

/**
 * Returns the state as {@link readSeedInfo} does, but throws if it is not known.
 *
 * @throws OperationError also if the state cannot be read
 */
export async function readKnownSeedInfo(
  connection: Connection,
  folder: string,
  sets: readonly string[],
): Promise<Extract<SeedAnswer, { known: true }>> {
  const answer = await readSeedInfo(connection, folder, sets);
  if (answer.known) return answer;
  throw new OperationError(`Cannot read which seeds ${describeConnection(connection)} has: ${answer.reason}.`, {
    hint: "Connect with the migrator role (<database>_migrator).",
  });
}

/** Returns the state on an open connection, for files that were read before. */
export async function seedInfoOf(
  client: Client,
  files: readonly SeedFile[],
  sets: readonly string[],
): Promise<SeedAnswer> {
  const ledger = await readSeedLedger(client);
  return ledger.known ? { known: true, ...compareSeeds(files, ledger.records, sets) } : ledger;
}

/** Compares files, in order, with the records. Records of other sets are ignored. */
export function compareSeeds(
  files: readonly SeedFile[],
  records: readonly SeedRecord[],
  sets: readonly string[],
): { files: SeedInfo[]; withoutFile: SeedRecord[] } {
  const recordOf = new Map(records.map((record) => [`${record.set}/${record.filename}`, record]));
  const present = new Set(files.map((file) => `${file.set}/${file.filename}`));
  return {
    files: files.map(({ set, filename, title, logins, sha256 }) => {
      const record = recordOf.get(`${set}/${filename}`);
      const state = record === undefined ? "new" : record.sha256 === sha256 ? "current" : "changed";
      return { set, filename, title, logins, state, record };
    }),
    withoutFile: records.filter(
      (record) => sets.includes(record.set) && !present.has(`${record.set}/${record.filename}`),
    ),
  };
}

/** A seed file that `applySeeds` would run now. */
export interface PendingSeed {
  set: string;
  filename: string;
  state: Exclude<SeedState, "current">;
}

/**
 * Returns the files that would run, for a preview. Every file would run if there is no connection (nothing is
 * provisioned yet) or if the database does not exist yet. If the server cannot be reached, the answer is not known.
 *
 * @throws OperationError for errors in the files
 */
export async function pendingSeeds(
  connection: Connection | undefined,
  folder: string,
  sets: readonly string[],
): Promise<{ known: true; pending: PendingSeed[] } | { known: false; reason: string }> {
  const answer = await answerFor(connection, folder, sets);
  if (!answer.known) return answer;
  const pending = answer.files.flatMap(({ set, filename, state }): PendingSeed[] =>
    state === "current" ? [] : [{ set, filename, state }],
  );
  return { known: true, pending };
}

async function answerFor(
  connection: Connection | undefined,
  folder: string,
  sets: readonly string[],
): Promise<SeedAnswer> {
  const nothingThere = async (): Promise<SeedAnswer> => ({
    known: true,
    ...compareSeeds(await readSeedSets(folder, sets), [], sets),
  });
  if (connection === undefined) return nothingThere();
  try {
    return await readSeedInfo(connection, folder, sets);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (error.failure === "database-missing") return nothingThere();
    return { known: false, reason: error.message };
  }
}
