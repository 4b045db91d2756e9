import type { z } from "zod";
import { escapeHtml } from "../../core/html.ts";
import { subjectLabel } from "../judge.ts";
import type * as answers from "./answers.ts";
import { chart } from "./chart.ts";
import { type PageFacts, pageSections } from "./page-sections.ts";

type Metrics = z.infer<typeof answers.metrics>;

/**
 * Query parameter of a page that loads itself again, and the interval in s. It is a choice, because it moves the
 * reader's place.
 */
export const refreshing = { name: "refresh", seconds: "30" } as const;

/**
 * Renders the status page: HTML without scripts. All texts of the server are escaped.
 *
 * @param isRefreshing true if the page loads itself again
 */
export function statusPage(metrics: Metrics, facts: PageFacts, version: string, isRefreshing = false): string {
  const { status, subjects, takenAt, uptime, detailed } = metrics;
  const trend = detailed?.trend ?? [];
  const rows = subjects.map(
    ({ level, since, detail, ...subject }) =>
      `<tr><th scope="row">${escapeHtml(subjectLabel(subject))}</th><td class="${level}">${level.replace("-", " ")}</td><td>${since === null ? "" : `<time datetime="${since}">${since}</time>`}</td><td>${escapeHtml(detail)}</td></tr>`,
  );
  // The state is "ok" although something is not known, if the server can be judged without it: the heading names it.
  const notKnown = subjects.filter(({ level }) => level === "unknown").map((subject) => subjectLabel(subject));
  const unknown = notKnown.length === 0 ? "" : `not known: ${notKnown.join(", ")}`;
  const charts = [
    chart(
      "Connections",
      trend.map(({ connections }) => connections),
    ),
    chart(
      "Size of all databases in MB",
      trend.map(({ databaseBytes }) => databaseBytes && databaseBytes / 1024 ** 2),
    ),
    chart(
      "Transactions per second",
      trend.map(({ transactionsPerSecond }) => transactionsPerSecond),
    ),
    chart(
      "Mean time of a statement in ms",
      trend.map(({ meanStatementMs }) => meanStatementMs),
    ),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${isRefreshing ? `<meta http-equiv="refresh" content="${refreshing.seconds}">` : ""}
<title>${status}${unknown && ` (${escapeHtml(unknown)})`}: database</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Database: <span class="${status}">${status}</span>${unknown && `, <span class="unknown">${escapeHtml(unknown)}</span>`}</h1>
<p>Snapshot of <time datetime="${takenAt}">${takenAt}</time>. Uptime in 30 days: ${uptime === null ? "not known yet" : `${(uptime * 100).toFixed(2)} %`}.</p>
<p>${isRefreshing ? '<a href="/">Stop refreshing</a>' : `<a href="/?${refreshing.name}=${refreshing.seconds}">Refresh every ${refreshing.seconds} s</a>`}</p>
<div class="wide" tabindex="0" role="region" aria-label="Subjects"><table>
<caption>Subjects</caption>
<thead><tr><th scope="col">subject</th><th scope="col">state</th><th scope="col">since</th><th scope="col">what was found</th></tr></thead>
<tbody>${rows.join("\n")}</tbody>
</table></div>
${charts.join("\n")}
${pageSections(facts)}
<footer>pgroundwork ${escapeHtml(version)}</footer>
</main>
</body>
</html>
`;
}

const style = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --link: #0969da; --line: #888; --ok: #1a7f37; --warning: #9a6700; --critical: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --ink: #e6edf3; --link: #58a6ff; --ok: #3fb950; --warning: #d29922; --critical: #ff7b72; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: var(--paper); color: var(--ink); }
a { color: var(--link); }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: bold; }
th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:last-child { overflow-wrap: anywhere; padding-right: 0; }
@media (max-width: 30rem) { body { font-size: 14px; } main { padding: 0.75rem; } th, td { padding-right: 0.4rem; } }
.ok { color: var(--ok); } .warning, .unknown { color: var(--warning); } .critical { color: var(--critical); font-weight: bold; }
figure { margin: 1rem 0; } svg { width: 100%; height: 4rem; }
polyline { fill: none; stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke; }
`;
