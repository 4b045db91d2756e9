import { type DashboardDefinition, graph, number } from "./panels.ts";

/** Returns the errors in a second that match, by some of their labels. */
function rateOf(by: string, matching = ""): string {
  return `sum by (${by}) (rate(pgroundwork_logged_errors_total{${matching}}[$__rate_interval]))`;
}

/** Errors in the server's log. */
export const errors: DashboardDefinition = {
  id: "errors",
  title: "Errors",
  description:
    "Errors in the server's log, by class of SQLSTATE: 22 data, 23 constraints, 28 logins, 40 conflicts, 42 statements, " +
    "53 resources, 57 ended by someone, XX internal.",
  choosesDatabases: true,
  panels: [
    number(
      "Last error of any kind",
      "s",
      "time() - max(pgroundwork_logged_error_last_timestamp_seconds)",
      "Time since then.",
    ),
    number(
      "Last reading of the log",
      "s",
      "time() - max(pgroundwork_log_read_timestamp_seconds)",
      "Time since then. Alert: 5 minutes.",
    ),
    graph(
      "By severity",
      "ops",
      { "{{severity}}": rateOf("severity") },
      "FATAL ends a session, PANIC ends all. In a second.",
    ),
    graph("By class", "ops", { "{{class}} {{sqlstate}}": rateOf("class, sqlstate") }, "In a second."),
    graph(
      "By database",
      "ops",
      { "{{database}} {{class}}": rateOf("database, class", 'database=~"$database"') },
      "Refused logins have none. In a second.",
    ),
    graph(
      "Log that was not read",
      "Bps",
      { bytes: "rate(pgroundwork_log_skipped_bytes_total[$__rate_interval])" },
      "More was written than could be read, and errors in it were not counted.",
    ),
  ],
};
