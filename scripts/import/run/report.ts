import { escapeHtml } from "../../core/html.ts";
import { printable, quoted } from "../values/shown.ts";
import { shownKey } from "./ledger.ts";
import type { Difference, ImportReport } from "./result.ts";

/** Writes a report as a page that needs no other file. */
export function reportPage(report: ImportReport): string {
  const { source, tables, verify } = report;
  const number = (value: number) => value.toLocaleString("en");
  const rows = tables.map(
    ({ source: from, target, sourceRows, inserted, updated, unchanged, kept, rejected, columns }) =>
      [
        from,
        target,
        ...[sourceRows, inserted, updated, unchanged, kept, rejected].map(number),
        columns === undefined ? "not compared" : columns.every(({ equal }) => equal) ? "equal" : "different",
      ] as string[],
  );
  const sections = [
    list("Does not agree", verify?.failures ?? []),
    list("Rows that differ", (verify?.differences ?? []).map(describeDifference)),
    table(
      "Sums of numeric columns",
      ["table", "column", "source", "target"],
      tables.flatMap(({ target, sums }) => (sums ?? []).map((sum) => [target, sum.name, sum.source, sum.target])),
    ),
    table(
      "Rejected rows (the first ones)",
      ["source", "row", "key", "reason"],
      report.rejects.map((reject) => [
        reject.source,
        reject.place ?? String(reject.ordinal),
        reject.key === null ? "" : shownKey(reject.key),
        reject.problems.map(({ reason }) => reason).join("; "),
      ]),
    ),
    list(
      "Interrupted imports of this source that this one replaced",
      (report.replaced ?? []).map(
        ({ run, loadedRows }) => `${run}: ${number(loadedRows)} rows that it had loaded stay until it is rolled back`,
      ),
    ),
    list("Changed in form", report.notes),
    list(
      "Not compared",
      (verify?.notCompared ?? []).map(({ table: name, column, reason }) => `${name}.${column}: ${reason}`),
    ),
    list(
      "Not compared again: source and target have the hashes of the last verified import",
      tables.flatMap(({ target, leftOut = 0 }) => (leftOut === 0 ? [] : [`${target}: ${number(leftOut)} rows`])),
    ),
    list(
      "All rows were read and compared",
      tables.flatMap(({ target, allRead }) => (allRead === undefined ? [] : [`${target}: ${allRead}`])),
    ),
    list(
      "No longer in the source",
      tables.flatMap(({ target, missing }) => (missing === undefined ? [] : [`${target}: ${describeCounts(missing)}`])),
    ),
    table(
      "Rows that are no longer in the source (the first ones)",
      ["table", "key", "kind", "reason"],
      (report.missing ?? []).map((row) => [row.table, shownKey(row.key), row.kind, row.reason ?? ""]),
    ),
    list("Not imported", [...report.notImported, ...report.unread]),
    list(
      "Triggers that ran on the target",
      tables.flatMap(({ target, triggers }) => triggers.map((trigger) => `${target}: ${trigger}`)),
    ),
    list(
      "Row security on the target",
      tables.filter(({ rowSecurity }) => rowSecurity).map(({ target }) => target),
    ),
    table(
      "Checksums",
      ["table", "column", "source", "target"],
      tables.flatMap(({ target, columns }) =>
        (columns ?? []).map((column) => [target, column.name, column.source, column.target]),
      ),
    ),
    table(
      "Time",
      ["phase", "seconds"],
      report.phases.map(({ name, ms }) => [name, (ms / 1000).toFixed(1)]),
    ),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Import ${escapeHtml(report.run)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:75rem}table{border-collapse:collapse}td,th{border:1px solid #ccc;
padding:.2rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f3f3f3}</style></head><body>
<h1>Import into ${escapeHtml(report.database)}: ${escapeHtml(report.outcome)}</h1>
<p>${escapeHtml(source.kind)} ${escapeHtml(printable(source.path))}, ${number(source.bytes)} bytes, SHA-256 ${escapeHtml(source.sha256)}<br>
${escapeHtml(report.startedAt)} to ${escapeHtml(report.finishedAt)}, run ${escapeHtml(report.run)}</p>
${table("Tables", ["source", "target", "rows", "inserted", "updated", "unchanged", "kept", "rejected", "checksums"], rows)}
${sections.join("")}</body></html>
`;
}

/** Lists how many rows are of each kind. */
export function describeCounts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${count.toLocaleString("en")} ${kind}`)
    .join(", ");
}

/** Describes a difference in one line. */
export function describeDifference({ table: name, key, column, source, target, kind }: Difference): string {
  const row = `${name} ${shownKey(key)}`;
  if (column === undefined) return `${row}: ${kind}`;
  return `${row}, ${column}: ${shownValue(source)} in the source, ${shownValue(target)} in the target`;
}

/** Formats a value for a message: NULL, or its beginning in quotes. */
export function shownValue(value: string | null): string {
  return value === null ? "NULL" : quoted(value);
}

function list(title: string, items: readonly string[]): string {
  if (items.length === 0) return "";
  return `<h2>${escapeHtml(title)}</h2><ul>${items.map((item) => `<li>${escapeHtml(printable(item))}</li>`).join("")}</ul>\n`;
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const cells = (tag: string, values: readonly string[]) =>
    values.map((value) => `<${tag}>${escapeHtml(printable(value))}</${tag}>`).join("");
  const body = rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n");
  return `<h2>${escapeHtml(title)}</h2><table><tr>${cells("th", head)}</tr>\n${body}</table>\n`;
}
