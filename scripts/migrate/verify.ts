import type { Client } from "pg";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { withClient } from "../target/client.ts";
import { type Connection, describeConnection } from "../target/connection.ts";
import { ConnectionError } from "../target/connection-error.ts";
import { type CommittedMigration, readCommitted } from "./committed.ts";
import { compareMigrations, type MigrationProblem, type MigrationStatus } from "./status.ts";
import { readTracking } from "./tracking.ts";

/** A status, or why none could be had: a server that is down or a lacking privilege never reads as "nothing pending". */
export type StatusAnswer = ({ known: true } & MigrationStatus) | { known: false; reason: string };

/**
 * Compares a folder's committed files with one database. Issues no DDL.
 * @throws OperationError for files that are not in the format; ConnectionError where the database cannot be reached.
 */
export async function readStatus(connection: Connection, folder: string): Promise<StatusAnswer> {
  const reading = readCommitted(folder);
  // Both take their time; a fault of the files is thrown below all the same.
  reading.catch(() => {});
  return withClient(connection, async (client) => statusOf(client, await reading), "pgroundwork status");
}

/**
 * The same where only an answer will do.
 * @throws OperationError also when the status could not be told.
 */
export async function readKnownStatus(connection: Connection, folder: string): Promise<MigrationStatus> {
  const status = await readStatus(connection, folder);
  requireKnown(status, connection);
  return status;
}

/** The same on an open connection, with files that were read before. */
export async function statusOf(client: Client, files: readonly CommittedMigration[]): Promise<StatusAnswer> {
  const tracking = await readTracking(client);
  if (!tracking.known) return tracking;
  return { known: true, ...compareMigrations(files, tracking.rows, tracking.ledger) };
}

/**
 * The status for a preview: without a connection (nothing is provisioned yet), or where the database does not exist yet, every file is
 * pending; where the server cannot be asked, the answer is not known.
 * @throws OperationError for files that are not in the format.
 */
export async function pendingMigrations(connection: Connection | undefined, folder: string): Promise<StatusAnswer> {
  if (connection === undefined) return allPending(folder);
  try {
    return await readStatus(connection, folder);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (error.failure === "database-missing") return allPending(folder);
    return { known: false, reason: error.message };
  }
}

async function allPending(folder: string): Promise<StatusAnswer> {
  return { known: true, ...compareMigrations(await readCommitted(folder), [], []) };
}

/**
 * Checks that what is applied is what the files say.
 * @throws OperationError: something is wrong (all of it), or it could not be told.
 */
export async function verifyMigrations(connection: Connection, folder: string): Promise<MigrationStatus> {
  const status = await readKnownStatus(connection, folder);
  requireNoProblems(status.problems);
  return status;
}

/** @throws OperationError when the status could not be told. */
export function requireKnown(
  status: StatusAnswer,
  connection: Connection,
): asserts status is StatusAnswer & { known: true } {
  if (status.known) return;
  throw new OperationError(`Could not tell which migrations ${describeConnection(connection)} has: ${status.reason}.`, {
    remedy: "Ask as the role that migrates (<database>_migrator).",
  });
}

/** @throws OperationError (something is wrong) with every problem. */
export function requireNoProblems(problems: readonly MigrationProblem[]): void {
  if (problems.length === 0) return;
  throw new OperationError(
    ["The committed migrations do not fit what is applied:", ...problems.map(describeProblem)].join("\n"),
    {
      remedy: "Restore the files as they were applied (git log -- the file), and put changes into a new migration.",
      exitCode: exitCode.wrong,
    },
  );
}

/** One problem in one line. */
export function describeProblem({ kind, filename, expected, found }: MigrationProblem): string {
  switch (kind) {
    case "edited":
      return `- ${filename} was edited after it was applied: applied ${expected}, now ${found}`;
    case "missing":
      return `- ${filename} is applied (${expected}) and its file is missing`;
    case "reordered":
      return `- ${filename} was applied as ${expected} and now stands as ${found}`;
    case "renamed":
      return `- ${filename} was applied as ${expected} and has another name now`;
    case "inserted":
      return `- ${filename} (${found}) is not applied and stands before files that are`;
    case "invalid-hash":
      return found === expected
        ? `- ${filename} has AllowInvalidHash, and its hash ${found} is valid: take the header out`
        : `- ${filename} was edited after it was committed: its header says ${expected}, its body makes ${found}`;
    case "half-undone":
      return `- ${filename} is applied, its way back was begun and its end is not known: finish it with \`migrate down\`, or look with \`migrate repair\``;
    case "broken-chain":
      return `- ${filename} follows ${found ?? "nothing"}, and the file before it has ${expected ?? "no hash: there is none"}`;
  }
}
