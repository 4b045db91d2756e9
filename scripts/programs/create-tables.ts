import type { CreationProposal } from "../import/infer/infer-import.ts";
import { type Commit, type CommitOptions, commitMigration } from "../migrate/authoring/commit.ts";
import { readDraft, requireBlank, writeDraft } from "../migrate/authoring/draft.ts";
import { newMigration } from "../migrate/authoring/new.ts";

/**
 * Requires that no migration is being written, because a draft of created tables would replace it.
 *
 * @throws OperationError (exit code notAllowed)
 */
export async function requireNoDraft(folder: string): Promise<void> {
  requireBlank(await readDraft(folder));
}

/**
 * Writes the tables of a proposal as the migration that is being written: `current.sql` and `current.down.sql`.
 *
 * @returns the path of the draft
 * @throws OperationError if a migration is being written already
 */
export async function draftTables(
  folder: string,
  { up, down }: Pick<CreationProposal, "up" | "down">,
  message: string,
): Promise<string> {
  const path = await newMigration(folder, message);
  await writeDraft(folder, { Message: message }, up, down);
  return path;
}

/**
 * Writes the tables of a proposal as a migration, tries it with its down migration in a scratch cluster, commits and
 * applies it.
 *
 * @throws OperationError or SqlFileError. If the trial fails, the draft stays in `current.sql`
 */
export async function createTables(
  options: CommitOptions & { message: string },
  proposal: Pick<CreationProposal, "up" | "down">,
): Promise<Commit> {
  await draftTables(options.folder, proposal, options.message);
  return commitMigration(options);
}
