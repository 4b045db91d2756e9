import { requireMessage } from "../graphile-migrate-authoring.ts";
import { readDraft, requireBlank, writeDraft } from "./draft.ts";

/**
 * Begins a migration: `current.sql` with its message, and `current.down.sql` for the down migration.
 *
 * @returns the path of the file or folder to write
 * @throws OperationError if a migration is being written already, or if the message is not valid
 */
export async function newMigration(folder: string, message: string): Promise<string> {
  requireMessage(message);
  const draft = await readDraft(folder);
  requireBlank(draft);
  await writeDraft(folder, { Message: message });
  return draft.current.path;
}
