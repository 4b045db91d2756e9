import type { Client } from "pg";
import { OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import { type Connection, describeConnection } from "../target/connection.ts";
import { ConnectionError } from "../target/connection-error.ts";
import { readSeedLedger, type SeedRecord } from "./ledger.ts";
import { readSeedSets, type SeedFile, type SeedLogin } from "./seed-file.ts";

/**
 * - current: recorded with this content; will be skipped.
 * - new: not recorded; will run.
 * - changed: recorded with other content; will run again.
 */
export type SeedState = "current" | "new" | "changed";

export interface SeedInfo {
  set: string;
  filename: string;
  title: string | undefined;
  logins: SeedLogin[];
  state: SeedState;
  /** The last run; undefined for a new file. */
  record: SeedRecord | undefined;
}

/** What there is and what would run, or why it cannot be told. */
export type SeedAnswer =
  | {
      known: true;
      files: SeedInfo[];
      /** Recorded in one of the sets, and the file is gone. */
      withoutFile: SeedRecord[];
    }
  | { known: false; reason: string };

/**
 * Compares the files of the named sets with what one database recorded. Issues no DDL.
 * @throws OperationError for faults of the files; ConnectionError where the database cannot be reached.
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
 * The same where only an answer will do.
 * @throws OperationError also when it could not be told.
 */
export async function readKnownSeedInfo(
  connection: Connection,
  folder: string,
  sets: readonly string[],
): Promise<Extract<SeedAnswer, { known: true }>> {
  const answer = await readSeedInfo(connection, folder, sets);
  if (answer.known) return answer;
  throw new OperationError(`Could not tell which seeds ${describeConnection(connection)} has: ${answer.reason}.`, {
    remedy: "Ask as the role that migrates (<database>_migrator).",
  });
}

/** The same on an open connection, with files that were read before. */
export async function seedInfoOf(
  client: Client,
  files: readonly SeedFile[],
  sets: readonly string[],
): Promise<SeedAnswer> {
  const ledger = await readSeedLedger(client);
  return ledger.known ? { known: true, ...compareSeeds(files, ledger.records, sets) } : ledger;
}

/** Files in their order against the records; records of other sets do not count. */
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
 * What would run, for a preview: without a connection (nothing is provisioned yet), or where the database does not exist yet, every file; where
 * the server cannot be asked, the answer is not known.
 * @throws OperationError for faults of the files.
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
