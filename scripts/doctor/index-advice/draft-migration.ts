import { readDraft, requireBlank, writeDraft } from "../../migrate/authoring/draft.ts";
import { requireMessage } from "../../migrate/graphile-migrate-authoring.ts";
import type { IndexAdvice } from "./advise.ts";

/**
 * Writes the draft of a migration that creates an advised index, and its down migration. An index that is built
 * concurrently is alone in its file.
 *
 * @returns the path of the draft
 * @throws OperationError if a migration is being written already
 */
export async function draftIndex(folder: string, { table, columns, statements, fix }: IndexAdvice): Promise<string> {
  const draft = await readDraft(folder);
  requireBlank(draft);
  const message = `index ${columns.join(", ")} of ${table.replace(/^public\./, "")}`;
  requireMessage(message);
  const costs = statements.map(
    ({ id, costBefore, costAfter }) =>
      `-- The planner's cost of statement ${id}: ${Math.round(costBefore)} before, ${Math.round(costAfter)} after.\n`,
  );
  const [create = "", drop = ""] = [fix.statements.at(-1), fix.revert.at(-1)];
  const file = (statement: string, comments = "") =>
    `${/ concurrently /.test(statement) ? "--! no-transaction\n" : ""}${comments}${statement};\n`;
  await writeDraft(folder, { Message: message }, file(create, costs.join("")), file(drop));
  return draft.current.path;
}
