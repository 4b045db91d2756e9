import { shownKey } from "../../../import/run/ledger.ts";
import type { LiveTable } from "../../../import/run/live.ts";
import { describeCounts, describeDifference, shownValue } from "../../../import/run/report.ts";
import type { ImportReport, ReplacedImport, TableReport, VerifyResult } from "../../../import/run/result.ts";
import type { ImportResult } from "../../../import/run/run-import.ts";
import { printable } from "../../../import/values/shown.ts";
import type { ComparedImport } from "../../../import/verify-import.ts";
import { table } from "../../table.ts";

const outcomes: Readonly<Record<ImportReport["outcome"], string>> = {
  verified: "imported and verified",
  "not verified": "imported, but source and target do not agree",
  stopped: "stopped because of rejected rows; nothing was imported",
  "dry run": "dry run; nothing was changed",
};

/** Formats the result of an import. */
export function describeReport(label: string, { report, folder }: ImportResult): string {
  const lines = [
    ...describeRejects(report),
    ...report.notes.map((note) => `note: ${note}`),
    ...(report.notImported.length === 0 ? [] : [`not imported: ${report.notImported.join(", ")}`]),
    ...(report.unread.length === 0 ? [] : [`not in the map: ${report.unread.join(", ")}`]),
    ...describeLeftOut(report),
    ...describeMissing(report),
    ...(report.verify === undefined ? [] : describeVerify(report.verify)),
    ...(report.source.kept === null ? [] : [`source kept: ${report.source.kept}`]),
    ...(folder === undefined ? [] : [`report: ${folder}/report.html`]),
  ];
  const outcome = `${label}: ${outcomes[report.outcome]} (run ${report.run})`;
  return [outcome, describeTables(report.tables), ...lines.map(printable)].join("\n");
}

/** Says how a merge found changes: which rows were not compared again, and why all rows of a table were. */
function describeLeftOut({ tables }: ImportReport): string[] {
  const count = tables.reduce((sum, { leftOut = 0 }) => sum + leftOut, 0);
  const all = tables.flatMap(({ target, allRead }) => (allRead === undefined ? [] : [`${target} (${allRead})`]));
  const hashes = "whose source and target have the hashes of the last verified import";
  return [
    ...(count === 0 ? [] : [`not read again: ${count.toLocaleString("en")} rows ${hashes}`]),
    ...(all.length === 0 ? [] : [`read completely, and compared by key and hash: ${all.join(", ")}`]),
  ];
}

/** Says which rows the source no longer has, and what became of them. */
function describeMissing({ tables, missing = [] }: ImportReport): string[] {
  const counts = tables.flatMap((each) => (each.missing === undefined ? [] : [[each.target, each.missing] as const]));
  const total = counts.reduce((sum, [, each]) => sum + Object.values(each).reduce((a, b) => a + b, 0), 0);
  return [
    ...counts.map(([target, each]) => `no longer in the source: ${target}: ${describeCounts(each)}`),
    ...missing.map(
      ({ table: name, key, kind, reason }) =>
        `  ${kind}: ${name} ${shownKey(key)}${reason === null ? "" : ` (${reason})`}`,
    ),
    ...(total > missing.length
      ? [`  … and ${(total - missing.length).toLocaleString("en")} more, in missing.jsonl`]
      : []),
  ];
}

/** Says what became of an interrupted run of the same source. */
export function describeReplaced({ run, loadedRows }: ReplacedImport): string {
  const removed = `this run replaces import ${run}, which was interrupted: its staged rows are removed`;
  if (loadedRows === 0) return removed;
  return `${removed}; the ${loadedRows.toLocaleString("en")} rows that it had loaded stay until \`import rollback ${run}\``;
}

/** Formats the counts of tables. */
export function describeTables(tables: readonly TableReport[]): string {
  const rows = tables.map(({ source, target, sourceRows, inserted, updated, unchanged, kept, rejected }) => [
    printable(`${source} -> ${target}`),
    ...[sourceRows, inserted, updated, unchanged, kept, rejected].map((value) => value.toLocaleString("en")),
  ]);
  return table(["table", "source rows", "inserted", "updated", "unchanged", "kept", "rejected"], rows);
}

function describeRejects({ rejects, tables }: ImportReport): string[] {
  const total = tables.reduce((sum, { rejected }) => sum + rejected, 0);
  const lines = rejects.map(
    ({ source, place, ordinal, key, problems }) =>
      `rejected: ${source}, ${place ?? `row ${ordinal}`}${key === null ? "" : ` (${shownKey(key)})`}: ${problems
        .map(({ fields, reason }) => (fields?.[0] ? `${fields.join(", ")}: ${reason}` : reason))
        .join("; ")}`,
  );
  return total > rejects.length
    ? [...lines, `… and ${(total - rejects.length).toLocaleString("en")} more rejected rows`]
    : lines;
}

/** Formats the result of a comparison. */
export function describeVerify({ verified, failures, differences, notCompared }: VerifyResult): string[] {
  return [
    ...notCompared.map(({ table: name, column, reason }) => `not compared: ${name}.${column} (${reason})`),
    ...failures.map((failure) => `differs: ${failure}`),
    ...differences.map((difference) => `  ${describeDifference(difference)}`),
    verified ? "verified: counts, checksums of all compared columns, sums and foreign keys agree" : "not verified",
  ].map(printable);
}

/** Formats the comparison of a source and a database that are both in use. */
export function describeLive({ equal, tables, changes, failures, sourceIsSame }: ComparedImport): string[] {
  const named = changes.flatMap(({ table: name, key, kind, columns }) => [
    `${kind}: ${name} ${shownKey(key)}`,
    ...columns.map(
      ({ name: column, source, target }) =>
        `  ${column}: ${shownValue(source)} in the source, ${shownValue(target)} in the target`,
    ),
  ]);
  const rows = tables.map(({ source, target, sourceRows, targetRows, rejected, others, changes: counts }) => [
    printable(`${source} -> ${target}`),
    ...[sourceRows, targetRows, rejected].map((value) => value.toLocaleString("en")),
    others === undefined ? "unknown" : others.toLocaleString("en"),
    sumOf(counts).toLocaleString("en"),
  ]);
  return [
    sourceIsSame ? "the source is the one that was imported" : "the source is not the one that was imported",
    table(["table", "source rows", "target rows", "rejected", "not of an import", "changed"], rows),
    ...tables.flatMap((each) =>
      Object.entries(each.changes).map(([kind, count]) => `${each.target}: ${count.toLocaleString("en")} ${kind}`),
    ),
    ...named.map(printable),
    ...(changes.length < tables.reduce((sum, each) => sum + sumOf(each.changes), 0)
      ? ["more rows changed than are named"]
      : []),
    ...failures.map((failure) => `could not tell: ${failure}`),
    equal ? "equal: every row of the source, except rejected ones, is in the target with the same values" : "not equal",
  ];
}

function sumOf(counts: LiveTable["changes"]): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
