import { exitCode, OperationError } from "../../core/operation-error.ts";
import { readCommitted } from "../committed.ts";
import { type RevertOptions, revertMigrations } from "../down.ts";
import { downFilename, readDownFile } from "../down-file.ts";
import { bodyHash, committedParser } from "../graphile-migrate.ts";
import { readKnownStatus } from "../verify.ts";
import { isBlank, readDraft, removeCommitted, requireBlank, writeDraft } from "./draft.ts";
import { restoreIncludes } from "./includes.ts";

/** Result of {@link uncommitMigration}. */
export interface Uncommit {
  /** The file that was the newest committed one. */
  filename: string;
  /** True if it was applied to the database and was reverted there. */
  reverted: boolean;
}

/** Options of {@link uncommitMigration}. */
interface UncommitOptions extends Omit<RevertOptions, "steps" | "to"> {
  /** The database's folder, which contains `committed/`. */
  folder: string;
}

/**
 * Turns the newest committed migration back into the one that is being written. If it is applied to the database, its
 * down migration reverts it there. Use this only for a migration that no one else has run: other databases that have it
 * no longer match the files.
 *
 * @throws OperationError if another one is being written, or if it cannot be reverted: the files are then unchanged
 */
export async function uncommitMigration(options: UncommitOptions): Promise<Uncommit> {
  const { connection, folder } = options;
  const last = (await readCommitted(folder)).at(-1);
  if (last === undefined) {
    throw new OperationError(`${folder} has no committed migrations.`, { exitCode: exitCode.usage });
  }
  const draft = await readDraft(folder);
  // An earlier run ended between writing the draft and deleting the committed file.
  const resumed = !isBlank(draft.current.body) && bodyHash(draft.current.body, last.previousHash) === last.hash;
  if (!resumed) requireBlank(draft);
  const { applied } = await readKnownStatus(connection, folder);
  const isApplied = applied.some(({ filename }) => filename === last.filename);
  const down = readDownFile(folder, last.filename);
  requireDecoded(last.filename, last.encodingFault);
  requireDecoded(downFilename(last.filename), down?.encodingFault);
  if (isApplied) {
    // The draft gets the down migration that ran.
    const expected = [{ filename: last.filename, down: { sha256: down?.sha256 ?? "" } }];
    await revertMigrations({ ...options, steps: 1, expected });
  }
  if (!resumed) {
    const { headers, body } = (await committedParser())(last.filename, last.text);
    const { Hash, Previous, AllowInvalidHash, ...kept } = headers;
    const downText = down === undefined ? undefined : restoreIncludes(folder, down.text);
    await writeDraft(folder, kept, restoreIncludes(folder, body), downText);
  }
  await removeCommitted(folder, [last.filename, downFilename(last.filename)]);
  return { filename: last.filename, reverted: isApplied };
}

/** @throws OperationError for a file that the draft would not hold as it is */
function requireDecoded(filename: string, fault: string | undefined): void {
  if (fault !== undefined) throw new OperationError(`${filename}: ${fault}.`, { exitCode: exitCode.wrong });
}
