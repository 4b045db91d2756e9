import { describeDifference } from "../../../import/run/report.ts";
import type { ImportReport, TableReport, VerifyResult } from "../../../import/run/result.ts";
import type { ImportResult } from "../../../import/run/run-import.ts";
import { table } from "../../table.ts";

const outcomes: Readonly<Record<ImportReport["outcome"], string>> = {
  verified: "imported and verified",
  "not verified": "imported, but source and target do not agree",
  stopped: "stopped because of rejected rows; nothing was imported",
  "dry run": "dry run; nothing was changed",
};

/** Formats the result of an import. */
export function describeReport(label: string, { report, folder }: ImportResult): string {
  return [
    `${label}: ${outcomes[report.outcome]} (run ${report.run})`,
    describeTables(report.tables),
    ...describeRejects(report),
    ...report.notes.map((note) => `note: ${note}`),
    ...(report.notImported.length === 0 ? [] : [`not imported: ${report.notImported.join(", ")}`]),
    ...(report.unread.length === 0 ? [] : [`not in the map: ${report.unread.join(", ")}`]),
    ...(report.verify === undefined ? [] : describeVerify(report.verify)),
    ...(folder === undefined ? [] : [`report: ${folder}/report.html`]),
  ].join("\n");
}

/** Formats the counts of tables. */
export function describeTables(tables: readonly TableReport[]): string {
  const rows = tables.map(({ source, target, sourceRows, inserted, updated, unchanged, kept, rejected }) => [
    `${source} -> ${target}`,
    ...[sourceRows, inserted, updated, unchanged, kept, rejected].map((value) => value.toLocaleString("en")),
  ]);
  return table(["table", "source rows", "inserted", "updated", "unchanged", "kept", "rejected"], rows);
}

function describeRejects({ rejects, tables }: ImportReport): string[] {
  const total = tables.reduce((sum, { rejected }) => sum + rejected, 0);
  const lines = rejects.map(
    ({ source, place, ordinal, key, problems }) =>
      `rejected: ${source}, ${place ?? `row ${ordinal}`}${key === null ? "" : ` (${key.replaceAll("\x1f", ", ")})`}: ${problems
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
  ];
}
