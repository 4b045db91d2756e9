import type { Known } from "../../core/known.ts";
import type { DatabaseAdvice, IndexAdvice } from "../../doctor/index-advice/advise.ts";
import { bytes, count } from "../../doctor/text.ts";
import { style } from "../output.ts";

/** Formats index advice for people: the most useful index first, then what could not be judged. */
export function describeAdvice(label: string, answer: Known<DatabaseAdvice>): string {
  if (!answer.known) return `${label}: index advice is not available: ${answer.reason}`;
  const { advice, examined, unknown, countedSince, knowsColumns, major, liveMajor } = answer;
  const since = countedSince === null ? "" : `, counted since ${countedSince.toISOString()}`;
  const basis = [
    knowsColumns
      ? "Planned with the sizes of tables and the numbers of distinct values, without the values themselves."
      : "Planned with the sizes of tables only: the role may not read column statistics, or there are none.",
    ...(major === liveMajor ? [] : [`Tried on PostgreSQL ${major}, live is ${liveMajor}.`]),
  ];
  return [
    ...advice.map(describeIndex),
    ...unknown.map(({ id, reason }) => `${style("yellow", "unknown")} statement ${id}: ${reason}`),
    `${label}: ${advice.length} advised ${advice.length === 1 ? "index" : "indexes"}; ${examined} statements planned${since}, ${unknown.length} unknown. ${basis.join(" ")}`,
  ].join("\n\n");
}

function describeIndex({ table, bytes: { low, high }, writes, statements, fix }: IndexAdvice): string {
  return [
    ...fix.statements.map((statement) => `${statement};`),
    `  ${fix.effect}`,
    ...statements.map(
      ({ id, text, calls, totalMs, costBefore, costAfter }) =>
        `  Statement ${id} (${count(calls)} calls, ${count(totalMs)} ms in all): cost ${count(costBefore)} before, ${count(costAfter)} after: ${text}`,
    ),
    `  Its size would be about ${bytes(low)} to ${bytes(high)}. ${count(writes)} rows of ${table} were written since the server counts; each would write to it, too.`,
    "  To undo it:",
    ...fix.revert.map((statement) => `    ${statement};`),
  ].join("\n");
}
