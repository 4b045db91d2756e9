import { withClient } from "../../connection/client.ts";
import type { Connection } from "../../connection/connection.ts";
import { readDraftFile } from "../authoring/draft-file.ts";
import { type LintReport, lintFiles } from "./lint.ts";
import { lintPending } from "./pending.ts";

/** Lint report of a draft. A draft is never applied, so that its findings count apart from those of committed files. */
export interface DraftReport extends LintReport {
  filename: string;
  /** Reason why it cannot be read as a migration; null if it was checked. */
  unreadable: string | null;
}

/**
 * Lints the draft of a folder by itself, as `migrate commit` does. Returns null if it contains no statement.
 *
 * @param connection the database that the draft is for. Omit to count all earlier tables as tables with rows.
 * @throws OperationError if squawk cannot be run
 */
export async function lintDraft(folder: string, connection?: Connection): Promise<DraftReport | null> {
  const draft = await readDraftFile(folder);
  if (draft === undefined) return null;
  const { filename, migration, unreadable } = draft;
  if (migration === null) return { filename, unreadable, findings: [], exceptions: [] };
  const report =
    connection === undefined
      ? await lintFiles([migration])
      : await withClient(connection, (client) => lintPending(client, [migration]), "pgroundwork lint");
  return { filename, unreadable, ...report };
}
