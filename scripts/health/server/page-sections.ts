import { escapeHtml } from "../../core/html.ts";
import { jobFault } from "../../databases/job-state.ts";
import type { DrillValue, MeasuredBackups, RepositoryBackups, SubjectFinding } from "../collector.ts";
import type { StatementValues } from "../collectors/statements.ts";
import type { DiskForecast } from "../forecast.ts";
import type { SpaceHour } from "../history.ts";
import type { Part, PartName, PartValues, Snapshot } from "../snapshot.ts";

/** Sources of the sections below the table of subjects. */
export interface PageFacts {
  parts: Snapshot["parts"];
  databases: Snapshot["databases"];
  /** Reason why the server does not answer. undefined: it does. */
  unreachable: string | undefined;
  space: readonly SpaceHour[];
  forecast: DiskForecast;
}

/** Rows of a table at most. What is left out is counted. */
const mostRows = 20;

/** Renders the sections: sessions, statements, storage, migrations, backups and deploys. */
export function pageSections({ parts, databases, unreachable, space, forecast }: PageFacts): string {
  /** Renders a part that was read from the server. Values of a server that does not answer any more are not shown. */
  const read = <Name extends PartName>(part: Part<Name>, render: (values: PartValues<Name>) => string): string =>
    unreachable === undefined ? known(part, render) : paragraph(`Not known: ${unreachable}`);
  const ofServer = <Name extends PartName>(name: Name, render: (values: PartValues<Name>) => string): string =>
    read(parts[name], render);
  return [
    section(
      "Sessions",
      ofServer("sessions", ({ active, idle, idleInTransaction, waitingForLocks, oldestTransactionSeconds: oldest }) =>
        paragraph(
          `${active} active, ${idle} idle, ${idleInTransaction} idle in a transaction, ${waitingForLocks} waiting for a lock. ${oldest === null ? "No transaction is open." : `The oldest transaction began ${seconds(oldest)} ago.`}`,
        ),
      ),
      ofServer("locks", ({ blockers }) =>
        table(
          "Sessions for which others wait",
          ["process", "role", "application", "database", "waiting", "longest wait"],
          blockers.map(({ pid, role, application, database, waiting, longestWaitSeconds }) => [
            ...[String(pid), role ?? "unknown", application || "unnamed", database ?? "none"],
            ...[String(waiting), seconds(longestWaitSeconds)],
          ]),
          "No session waits for another one.",
        ),
      ),
    ),
    section(
      "Statements",
      ofServer("statements", ({ top, others }) =>
        table(
          "Statements with the largest total time, by their queryid in pg_stat_statements",
          ["queryid", "calls", "total", "mean"],
          [...top, ...otherStatements(others)].map(({ id, calls, totalMs, meanMs }) => [
            ...[id, calls.toLocaleString("en-US"), seconds(totalMs / 1_000)],
            `${meanMs.toFixed(1)} ms`,
          ]),
          "No statement has run since the last reset.",
        ),
      ),
    ),
    section(
      "Storage",
      ofServer("host", (values) => paragraph(describeHost(values))),
      paragraph(describeForecast(forecast)),
      paragraph(describeGrowth(space)),
      ofServer("sizes", ({ databases, hidden }) =>
        [
          table(
            "Databases",
            ["database", "size"],
            Object.entries(databases)
              .sort(([, one], [, other]) => other - one)
              .map(([name, bytes]) => [name, size(bytes)]),
            "The role may not read the size of any database.",
          ),
          hidden.length === 0 ? "" : paragraph(`The role may not read the size of ${hidden.join(", ")}.`),
        ].join(""),
      ),
    ),
    section(
      "Migrations",
      ...Object.entries(databases).map(
        ([name, of]) => `<h3>${escapeHtml(name)}</h3>${read(of.migrations, migrations)}`,
      ),
    ),
    section(
      "Backups",
      known(parts.backups, (values) => (values === null ? paragraph("The stack makes no backups.") : backups(values))),
      isSameReason(parts.backups, parts.operations)
        ? ""
        : known(parts.operations, (values) =>
            values === null ? "" : drills(values.lastDrill, values.lastPassedDrill),
          ),
    ),
    section(
      "Jobs",
      known(parts.jobs, (values) =>
        table(
          "Jobs in database.json",
          ["database", "job", "schedule (UTC)", "state", "last run"],
          (values?.jobs ?? []).map((job) => [
            ...[job.database, job.name, job.schedule],
            jobFault(job) ?? (job.startedAt === null ? "never run" : "ok"),
            job.startedAt ?? "none",
          ]),
          "No database declares jobs.",
        ),
      ),
    ),
    section(
      "Deploys",
      known(parts.operations, (values) =>
        values?.deploys === null
          ? paragraph(
              "Not known: they are recorded in the repository of the backups, which the health container does not have.",
            )
          : table(
              "Last deploys",
              ["number", "time", "outcome", "changes", "commit", "user"],
              (values?.deploys ?? []).map(({ number, at, outcome, changes, commit, user }) => [
                ...[String(number), at, outcome, changes === null ? "unknown" : String(changes)],
                ...[commit?.slice(0, 12) ?? "none", user],
              ]),
              values === null ? "Deploys are recorded beside backups, and the stack makes none." : "None is recorded.",
            ),
      ),
    ),
  ].join("\n");
}

function migrations(values: PartValues<"migrations">): string {
  const { hasLedger, applied, lastFile, lastAt, pending, problems } = values;
  if (!hasLedger) return paragraph("No migration of the kit has run in this database.");
  const last =
    lastFile === null ? "" : `, the last one ${lastFile}${lastAt === null ? "" : ` at ${lastAt.toISOString()}`}`;
  const named = (title: string, names: readonly string[]) => (names.length === 0 ? "" : list(title, names, "h4"));
  return [
    paragraph(`${applied} applied${last}. ${pending === null ? "There are no files to compare with." : ""}`),
    pending === null ? "" : pending.length === 0 ? paragraph("None is pending.") : named("Pending", pending),
    named("Different from the files", problems ?? []),
  ].join("");
}

function backups(values: NonNullable<PartValues<"backups">>): string {
  return values.source === "metrics" ? measuredBackups(values) : repositoryBackups(values);
}

function measuredBackups({ last, lastFull, failedRuns, repositories, findings }: MeasuredBackups): string {
  const rows = repositories.flatMap(({ number, scannedAt, archivedUntil }) => {
    const of = repositories.length === 1 ? "" : ` of repository ${number}`;
    return [
      [`last scan${of}`, scannedAt ?? "unknown"],
      [`WAL archive${of} complete until`, archivedUntil ?? "unknown"],
    ];
  });
  return [
    table(
      "State, by the metrics of the backup container",
      ["what", "value"],
      [
        ["last backup", last === null ? "unknown" : `${last.type}, ${last.finishedAt}`],
        ["last full backup", lastFull?.finishedAt ?? "unknown"],
        ["failed runs", failedRuns === null ? "unknown" : failedRuns.map(({ type }) => type).join(", ") || "none"],
        ...rows,
      ],
      "",
    ),
    backupFindings(findings, "The metrics name no problem."),
  ].join("");
}

function backupFindings(findings: readonly SubjectFinding[], none: string): string {
  if (findings.length === 0) return paragraph(none);
  return list(
    "Findings",
    findings.map(({ level, text }) => `${level}: ${text}`),
  );
}

function repositoryBackups(values: RepositoryBackups): string {
  const { last, lastFull, restorableFrom, lastArchivedAt, underWay, findings } = values;
  const rows = [
    ["last backup", last === null ? "none" : `${last.type}, ${last.finishedAt}`],
    ["last full backup", lastFull?.finishedAt ?? "none"],
    ["restores from", restorableFrom ?? "nothing"],
    ["WAL archived until", lastArchivedAt ?? "unknown"],
    ...(underWay ? [["now", "a backup is being made"]] : []),
  ];
  return [
    table("State", ["what", "value"], rows, ""),
    backupFindings(findings, "The last scan and the notes of the last runs name no problem."),
  ].join("");
}

function drills(last: DrillValue | null, lastPassed: DrillValue | null): string {
  if (last === null) return paragraph("No restore drill is recorded.");
  const row = (title: string, { startedAt, outcome, rtoSeconds, rpoSeconds, evidence }: DrillValue) => [
    ...[title, startedAt, outcome],
    ...[rtoSeconds === null ? "unknown" : seconds(rtoSeconds), rpoSeconds === null ? "unknown" : seconds(rpoSeconds)],
    evidence === undefined
      ? "unknown"
      : evidence === null
        ? "none"
        : `${evidence.number} ${evidence.hash.slice(0, 12)}`,
  ];
  return [
    table(
      "Restore drills",
      ["drill", "started", "outcome", "RTO", "RPO", "evidence"],
      [row("last", last), ...(lastPassed === null ? [] : [row("last passed", lastPassed)])],
      "",
    ),
    last.reasons === null
      ? paragraph("The reasons of the last drill are not in the metrics. pgw backup evidence shows them.")
      : last.reasons.length === 0
        ? ""
        : list("Reasons of the last drill", last.reasons),
  ].join("");
}

function describeHost({ load, processors, ...bytes }: PartValues<"host">): string {
  const disk = `${size(bytes.diskFreeBytes)} of ${size(bytes.diskBytes)} on the disk of the data directory`;
  const memory = `${size(bytes.memoryFreeBytes)} of ${size(bytes.memoryBytes)} of memory`;
  return `Free on the server's machine: ${disk} and ${memory}. Load: ${load.toFixed(1)} on ${processors} processors.`;
}

/** Says when the disk is full, or why that is not known. */
export function describeForecast(forecast: DiskForecast): string {
  if (forecast.kind === "unknown") return `When the disk is full is not known: ${forecast.reason}.`;
  const measured = `in the last ${forecast.measuredHours} hours`;
  if (forecast.kind === "lasts") return `At the change ${measured}, the disk is not full within a year.`;
  return `At the growth ${measured}, the disk is full on ${forecast.at.toISOString().slice(0, 10)}.`;
}

function describeGrowth(space: readonly SpaceHour[]): string {
  const known = space.flatMap(({ hour, databaseBytes }) => (databaseBytes === null ? [] : [{ hour, databaseBytes }]));
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || first === last)
    return "How much the databases grow is not known yet: less than an hour was measured.";
  const change = last.databaseBytes - first.databaseBytes;
  const hours = last.hour - first.hour;
  return `All databases: ${size(last.databaseBytes)}, ${change < 0 ? "less" : "more"} by ${size(Math.abs(change))} than ${hours} hours before.`;
}

function known<Name extends PartName>(part: Part<Name>, render: (values: PartValues<Name>) => string): string {
  return part.known ? render(part.value as PartValues<Name>) : paragraph(`Not known: ${part.reason}`);
}

/** Returns true if two parts are not known for the same reason, which is said once then. */
function isSameReason(one: Part<PartName>, other: Part<PartName>): boolean {
  return !one.known && !other.known && one.reason === other.reason;
}

function section(title: string, ...content: readonly string[]): string {
  return `<section><h2>${title}</h2>\n${content.join("\n")}</section>`;
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

function list(title: string, items: readonly string[], heading: "h3" | "h4" = "h3"): string {
  const shown = items.slice(0, mostRows).map((item) => `<li>${escapeHtml(item)}</li>`);
  const more = items.length > mostRows ? [`<li>and ${items.length - mostRows} more</li>`] : [];
  return `<${heading}>${title}</${heading}><ul>${[...shown, ...more].join("")}</ul>`;
}

/** Renders a table whose first cells are the headings of its rows, or a sentence if it has no rows. */
function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return paragraph(empty);
  const body = rows
    .slice(0, mostRows)
    .map(
      ([first = "", ...others]) =>
        `<tr><th scope="row">${escapeHtml(first)}</th>${others.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`,
    );
  const more = rows.length > mostRows ? paragraph(`${rows.length - mostRows} more are not shown.`) : "";
  return `<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>
<tbody>${body.join("\n")}</tbody></table></div>${more}`;
}

function seconds(value: number): string {
  if (value < 120) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  return value < 7_200 ? `${Math.round(value / 60)} min` : `${(value / 3_600).toFixed(1)} h`;
}

function size(bytes: number): string {
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MB` : `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}

/** Returns a row for the statements that are not listed, if there are any. */
function otherStatements({ statements, calls, totalMs }: PartValues<"statements">["others"]): StatementValues[] {
  return calls === 0 ? [] : [{ id: `${statements} others`, calls, totalMs, meanMs: totalMs / calls }];
}
