import { exitCode, OperationError } from "../../errors/operation-error.ts";
import { readCommitted } from "../committed.ts";
import { type UndoOptions, undoMigrations } from "../down.ts";
import { downFilename, readDownFile } from "../down-file.ts";
import { bodyHash, committedParser } from "../graphile-migrate.ts";
import { readKnownStatus } from "../verify.ts";
import { isBlank, readDraft, removeCommitted, requireBlank, writeDraft } from "./draft.ts";

export interface Uncommit {
  /** The file that was the newest committed one. */
  filename: string;
  /** Whether it was applied to the database, and was undone there. */
  undone: boolean;
}

/**
 * Makes the newest committed migration the one that is being written again, and undoes it in the database by its way back where it is applied there. Other databases
 * that have it no longer fit the files: only for what nobody else has run.
 *
 * @throws OperationError where another one is being written, or it cannot be undone: the files are as they were then
 */
export async function uncommitMigration(options: Omit<UndoOptions, "steps" | "to">): Promise<Uncommit> {
  const { connection, folder } = options;
  const last = (await readCommitted(folder)).at(-1);
  if (last === undefined) {
    throw new OperationError(`${folder} has no committed migration.`, { exitCode: exitCode.usage });
  }
  const draft = await readDraft(folder);
  // An earlier run was ended between writing it back and deleting the committed file.
  const resumed = !isBlank(draft.current.body) && bodyHash(draft.current.body, last.previousHash) === last.hash;
  if (!resumed) requireBlank(draft);
  const { applied } = await readKnownStatus(connection, folder);
  const isApplied = applied.some(({ filename }) => filename === last.filename);
  const down = await readDownFile(folder, last.filename);
  if (isApplied) await undoMigrations({ ...options, steps: 1, expected: [last.filename] });
  if (!resumed) {
    const { headers, body } = (await committedParser())(last.filename, last.text);
    const { Hash, Previous, AllowInvalidHash, ...kept } = headers;
    await writeDraft(folder, kept, body, down?.text);
  }
  await removeCommitted(folder, [last.filename, downFilename(last.filename)]);
  return { filename: last.filename, undone: isApplied };
}
