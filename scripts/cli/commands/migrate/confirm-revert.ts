import type { DownLoss, DownLosses, UnclearStatement } from "../../../migrate/down-losses.ts";
import type { PlannedRevert } from "../../../migrate/revert-plan.ts";
import type { CommandContext } from "../../context.ts";
import type { Target } from "../../target.ts";
import { requireTyped } from "../../typed-name.ts";

/**
 * Asks for a confirmation before migrations are reverted.
 *
 * @param always false to ask only if rows may be lost
 * @throws OperationError (not allowed) if it was not given
 */
export async function confirmRevert(
  context: CommandContext,
  target: Target,
  planned: readonly PlannedRevert[],
  always: boolean,
): Promise<void> {
  const { readDownLosses } = await import("../../../migrate/down-losses.ts");
  const found = await readDownLosses(target.connection, target.folder, planned);
  const isLossless = found.losses.length + found.unclear.length === 0;
  if (!always && isLossless) return;
  context.out.note(
    [
      `${target.label}: these migrations will be reverted:`,
      ...planned.map(({ filename }) => `  ${filename}`),
      ...(isLossless ? ["No rows will be lost."] : describeLosses(found)),
    ].join("\n"),
  );
  await requireTyped(context, [target.connection.database], `Reverting migrations of ${target.label}`);
}

/** Describes the rows that will be lost, and the statements whose effect on rows is not known. */
export function describeLosses({ losses, unclear }: DownLosses): string[] {
  const lines: string[] = [];
  if (losses.length > 0) lines.push("Rows that will be lost:", ...losses.map(describeLoss));
  if (unclear.length > 0)
    lines.push("Statements that may change or delete rows; how many is not known:", ...unclear.map(describeUnclear));
  return lines;
}

function describeLoss({ object, rows }: DownLoss): string {
  if (rows === null) return `  ${object}: could not be counted`;
  // Counting stops at a million.
  const number = rows >= 1_000_000 ? "at least 1,000,000" : rows.toLocaleString("en");
  const unit = object.startsWith("column ") ? "value" : "row";
  return `  ${object}: ${number} ${rows === 1 ? unit : `${unit}s`}`;
}

function describeUnclear({ filename, line, statement }: UnclearStatement): string {
  return `  ${filename.replace(/\.sql$/, ".down.sql")}:${line}: ${statement}`;
}
