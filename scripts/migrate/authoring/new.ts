import { requireMessage } from "../graphile-migrate-authoring.ts";
import { readDraft, requireBlank, writeDraft } from "./draft.ts";

/**
 * Begins a migration: `current.sql` with its message, and `current.down.sql` for the way back.
 *
 * @returns the path of what is to be written
 * @throws OperationError where one is being written already, or for a message that cannot be one
 */
export async function newMigration(folder: string, message: string): Promise<string> {
  requireMessage(message);
  const draft = await readDraft(folder);
  requireBlank(draft);
  await writeDraft(folder, { Message: message });
  return draft.current.path;
}
