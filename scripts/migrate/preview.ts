import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { statementSpans } from "../sql/statements.ts";
import { readCommitted } from "./committed.ts";
import { requireRunnable } from "./run-migration.ts";
import { upTo, withoutAllowed } from "./selection.ts";
import { requireKnown, requireNoProblems, statusOf } from "./verify.ts";

/** A file that would be applied. */
export interface PreviewedMigration {
  filename: string;
  /** False if it runs outside a transaction. */
  transactional: boolean;
  statements: number;
}

/**
 * Returns the files that `applyMigrations` would apply, with all its checks. Runs nothing and takes no lock.
 *
 * @throws OperationError as `applyMigrations` does
 */
export async function previewMigrations(
  connection: Connection,
  folder: string,
  { to, allow = [] }: { to?: string | undefined; allow?: readonly string[] | undefined },
): Promise<PreviewedMigration[]> {
  const files = await readCommitted(folder);
  return withClient(
    connection,
    async (client) => {
      const status = await statusOf(client, files);
      requireKnown(status, connection);
      const { pending, problems } = withoutAllowed(status, allow, files);
      requireNoProblems(problems);
      const names = new Set(pending);
      const wanted = upTo(
        files.filter(({ filename }) => names.has(filename)),
        files,
        to,
      );
      requireRunnable(wanted);
      return wanted.map(({ filename, transactional, text, bodyStart }) => ({
        filename,
        transactional,
        statements: statementSpans(text.slice(bodyStart)).length,
      }));
    },
    "pgroundwork status",
  );
}
