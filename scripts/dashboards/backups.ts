import { type DashboardDefinition, graph, number } from "./panels.ts";

/** Last backups, drills and dumps, their volumes, and jobs. */
export const backups: DashboardDefinition = {
  id: "backups",
  title: "Backups and jobs",
  description: "Needs `backups`, and jobs in database.json; without them, their graphs are empty.",
  panels: [
    number(
      "Last backup",
      "s",
      "time() - max(pgroundwork_backup_last_completion_timestamp_seconds)",
      "Age of the newest backup that can be restored, as of the last scan.",
    ),
    number("Last scan", "s", "time() - max(pgroundwork_backup_scan_timestamp_seconds)", "Age. Alert: 3 hours."),
    graph(
      "Age of backups",
      "s",
      { "{{type}}": "time() - pgroundwork_backup_last_completion_timestamp_seconds" },
      "Alert: twice the interval of the schedule.",
    ),
    graph(
      "Problems in the repository",
      "short",
      { "{{level}}": "pgroundwork_backup_scan_findings" },
      "`pgw backup list` names them.",
    ),
    graph(
      "Lag of the WAL archive",
      "s",
      { "repository {{repository}}": "pgroundwork_backup_archive_lag_seconds" },
      "Since when complete WAL is not in the archive. The first repository has no number. Alert: 5 minutes.",
    ),
    graph(
      "WAL that waits",
      "bytes",
      { "repository {{repository}}": "pgroundwork_backup_archive_waiting_bytes" },
      "For each repository.",
    ),
    graph("Last run of jobs failed", "bool", { "{{datname}} {{name}}": "pg_job_failed" }, "1 if it failed."),
    graph("Delay of jobs", "s", { "{{datname}} {{name}}": "pg_job_overdue_seconds" }, "Beyond the tolerated delay."),
  ],
};

/** Restore drills: whether they pass, and what they cost. */
export const drills: DashboardDefinition = {
  id: "drills",
  title: "Restore drills",
  description: "Needs drills of the backups; without them, its graphs are empty.",
  panels: [
    number(
      "Last drill",
      "s",
      "time() - max(pgroundwork_backup_drill_last_timestamp_seconds)",
      "Time since its start, whatever its result.",
    ),
    number(
      "Last passed drill",
      "s",
      "time() - max(pgroundwork_backup_drill_last_passed_timestamp_seconds)",
      "Time since its start. Alert: the age that the settings allow.",
    ),
    graph(
      "Result",
      "bool",
      {
        passed: "min(pgroundwork_backup_drill_passed)",
        "could not run": "max(pgroundwork_backup_drill_could_not_run)",
      },
      "Passed: of the last drill that passed or failed. A drill that could not run says nothing about the backups.",
    ),
    graph(
      "Measured times",
      "s",
      {
        RTO: "max(pgroundwork_backup_drill_rto_seconds)",
        RPO: "max(pgroundwork_backup_drill_rpo_seconds)",
      },
      "RTO: from the start of the drill to the first query on the copy. RPO: age of the last restored commit.",
    ),
    graph(
      "Missed objectives",
      "bool",
      { "{{objective}}": "max by (objective) (pgroundwork_backup_drill_objective_missed)" },
      "1 if the last drill that gave a result missed it.",
    ),
  ],
};
