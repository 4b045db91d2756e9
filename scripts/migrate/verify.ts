import type { Client } from "pg";
import { withClient } from "../connection/client.ts";
import { type Connection, describeConnection } from "../connection/connection.ts";
import { ConnectionError } from "../connection/connection-error.ts";
import type { FileSource } from "../core/file-source.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { type CommittedMigration, checkedFile, readCommitted } from "./committed.ts";
import { compareMigrations, type MigrationProblem, type MigrationStatus } from "./status.ts";
import { readTracking, type TrackingAnswer } from "./tracking.ts";

/**
 * A status, or the reason why it is not known. A server that is down or a missing privilege never reads as "nothing
 * pending".
 */
export type StatusAnswer = ({ known: true } & MigrationStatus) | { known: false; reason: string };

/**
 * Compares a folder's committed files with one database. Issues no DDL.
 *
 * @throws OperationError for files that do not follow the format; ConnectionError if the database cannot be reached
 */
export async function readStatus(connection: Connection, folder: FileSource): Promise<StatusAnswer> {
  const reading = readCommitted(folder);
  // Read the files while the connection opens. The await below still throws an error of the files.
  reading.catch(() => {});
  return withClient(connection, async (client) => statusOf(client, await reading), "pgroundwork status");
}

/**
 * Returns the status as {@link readStatus} does, but throws if it is not known.
 *
 * @throws OperationError also if the status cannot be read
 */
export async function readKnownStatus(connection: Connection, folder: FileSource): Promise<MigrationStatus> {
  const status = await readStatus(connection, folder);
  requireKnown(status, connection);
  return status;
}

/** Returns the status on an open connection, for files that were read before. */
export async function statusOf(client: Client, files: readonly CommittedMigration[]): Promise<StatusAnswer> {
  const tracking = await readTracking(client);
  if (!tracking.known) return tracking;
  return { known: true, ...(await compare(files, tracking)) };
}

async function compare(
  files: readonly CommittedMigration[],
  { rows, ledger }: Pick<TrackingAnswer & { known: true }, "rows" | "ledger">,
): Promise<MigrationStatus> {
  const status = compareMigrations(files, rows, ledger);
  const inserted = status.problems.filter(({ kind }) => kind === "inserted");
  const pending = new Set([...status.pending, ...inserted].map(({ filename }) => filename));
  const unusable: MigrationProblem[] = [];
  // Applied files are left alone: they ran, and an edit would be a mismatch.
  const checked = files.filter(({ filename }) => pending.has(filename));
  if (checked.length === 0) return status;
  const { contentFaults } = await import("./content.ts");
  for (const file of checked) {
    for (const detail of await contentFaults(checkedFile(file)))
      unusable.push({ kind: "unusable", filename: file.filename, expected: null, found: null, detail });
  }
  return { ...status, problems: [...status.problems, ...unusable] };
}

/**
 * Returns the status for a preview. Every file is pending if there is no connection (nothing is provisioned yet) or if
 * the database does not exist yet. If the server cannot be reached, the status is not known.
 *
 * @throws OperationError for files that do not follow the format
 */
export async function pendingMigrations(connection: Connection | undefined, folder: FileSource): Promise<StatusAnswer> {
  if (connection === undefined) return allPending(folder);
  try {
    return await readStatus(connection, folder);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    if (error.failure === "database-missing") return allPending(folder);
    return { known: false, reason: error.message };
  }
}

async function allPending(folder: FileSource): Promise<StatusAnswer> {
  return { known: true, ...(await compare(await readCommitted(folder), { rows: [], ledger: [] })) };
}

/**
 * Checks that the applied migrations match the files.
 *
 * @throws OperationError that lists every problem, or if the status cannot be read
 */
export async function verifyMigrations(connection: Connection, folder: FileSource): Promise<MigrationStatus> {
  const status = await readKnownStatus(connection, folder);
  requireNoProblems(status.problems);
  return status;
}

/**
 * Requires a status that could be read.
 *
 * @throws OperationError if the status is not known
 */
export function requireKnown(
  status: StatusAnswer,
  connection: Connection,
): asserts status is StatusAnswer & { known: true } {
  if (status.known) return;
  throw new OperationError(`Cannot read which migrations ${describeConnection(connection)} has: ${status.reason}.`, {
    hint: "Connect with the migrator role (<database>_migrator).",
  });
}

/**
 * Requires that there are no problems.
 *
 * @throws OperationError (exit code wrong) that lists every problem
 */
export function requireNoProblems(problems: readonly MigrationProblem[]): void {
  if (problems.length === 0) return;
  throw new OperationError([`${problemsTitle(problems)}:`, ...problems.map(describeProblem)].join("\n"), {
    hint: areUnusable(problems)
      ? "Correct each file (`migrate uncommit`, then `migrate commit`), and run again. Nothing was applied."
      : "Restore the files as they were applied (git log -- FILE), and write changes in a new migration.",
    exitCode: exitCode.wrong,
  });
}

/** Returns a title for a list of problems, without a colon. */
export function problemsTitle(problems: readonly MigrationProblem[]): string {
  return areUnusable(problems)
    ? "Pending migrations cannot run as they are"
    : "The committed migrations do not match the applied ones";
}

function areUnusable(problems: readonly MigrationProblem[]): boolean {
  return problems.every(({ kind }) => kind === "unusable");
}

/** Describes one problem: in one line, unless it shows a place in a file. */
export function describeProblem({ kind, filename, expected, found, detail }: MigrationProblem): string {
  switch (kind) {
    case "unusable":
      return `- ${detail ?? filename}`;
    case "edited":
      return `- ${filename} was edited after it was applied: applied ${expected}, now ${found}`;
    case "missing":
      return `- ${filename} is applied (${expected}), but its file is missing`;
    case "reordered":
      return `- ${filename} was applied as ${expected}, but is now ${found}`;
    case "renamed":
      return `- ${filename} was applied as ${expected} and now has another name`;
    case "inserted":
      return `- ${filename} (${found}) is not applied, but comes before files that are`;
    case "invalid-hash":
      return found === expected
        ? `- ${filename} has AllowInvalidHash, but its hash ${found} is valid: remove the header`
        : `- ${filename} was edited after it was committed: the hash in its header is ${expected}, the hash of its body is ${found}`;
    case "half-reverted":
      return `- ${filename} is applied, and its down migration was interrupted: finish it with \`migrate down\`, or check it with \`migrate repair\``;
    case "unfinished":
      return `- ${filename} does not exist, but was started outside a transaction and its end is not recorded, so part of it may be applied: restore the file, or close its run with \`migrate repair\``;
    case "broken-chain":
      return `- ${filename} follows ${found ?? "nothing"}, but the file before it has ${expected ?? "no hash, because there is none"}`;
  }
}
