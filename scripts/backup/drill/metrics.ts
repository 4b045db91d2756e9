import { stanza } from "../stack-backups.ts";
import type { DrillRecord } from "./run.ts";

/** A metric in Prometheus's text format: name without prefix, help, and values by their further labels. */
type Metric = [name: string, help: string, samples: [labels: string, value: number][]];

/** Formats the last drills as metrics. They are times and results, so that they stay true while nothing is written. */
export function drillMetrics({ last, lastConclusive, lastPassed }: DrillRecord): string {
  const seconds = (time: string) => Math.floor(Date.parse(time) / 1_000);
  const metrics: Metric[] = [
    ["last_timestamp_seconds", "When the last restore drill started.", [["", seconds(last.startedAt)]]],
    ["could_not_run", "If the last restore drill could not run.", [["", Number(last.outcome === "could not run")]]],
  ];
  if (lastPassed !== null)
    metrics.push([
      "last_passed_timestamp_seconds",
      "When the last restore drill that passed started.",
      [["", seconds(lastPassed.startedAt)]],
    ]);
  if (lastConclusive !== null) {
    const { outcome, rtoSeconds, rpoSeconds, missed } = lastConclusive;
    metrics.push([
      "passed",
      "If the last restore drill that gave a result passed.",
      [["", Number(outcome === "passed")]],
    ]);
    metrics.push([
      "objective_missed",
      "If the last restore drill missed an objective.",
      (["RTO", "RPO"] as const).map((name) => [`objective="${name}"`, Number(missed.includes(name))]),
    ]);
    if (rtoSeconds !== null)
      metrics.push(["rto_seconds", "Start of the restore drill to the first query on the copy.", [["", rtoSeconds]]]);
    if (rpoSeconds !== null)
      metrics.push(["rpo_seconds", "Age of the last restored commit at the start of the drill.", [["", rpoSeconds]]]);
  }
  const { evidence } = last;
  if (evidence !== null)
    metrics.push(["evidence_number", "Number of the newest evidence.", [[`hash="${evidence.hash}"`, evidence.number]]]);
  return metrics.map(formatMetric).join("");
}

function formatMetric([short, help, samples]: Metric): string {
  const name = `pgroundwork_backup_drill_${short}`;
  const lines = samples.map(
    ([labels, value]) => `${name}{${[`stanza="${stanza}"`, labels].filter((each) => each !== "").join(",")}} ${value}`,
  );
  return `${[`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines].join("\n")}\n`;
}
