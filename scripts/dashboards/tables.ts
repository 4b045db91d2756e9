import { type DashboardDefinition, graph, number } from "./panels.ts";

/** Returns a metric of the health server, for the chosen databases. */
function chosen(metric: string): string {
  return `${metric}{database=~"$database"}`;
}

/** Returns the rate of such a metric. */
function rateOf(metric: string): string {
  return `rate(${chosen(metric)}[$__rate_interval])`;
}

/** Tables and indexes, from the snapshots of the health server. */
export const tables: DashboardDefinition = {
  id: "tables",
  title: "Tables and indexes",
  description: "From the health server, as of its last snapshot. `pgw doctor` names what to change.",
  choosesDatabases: true,
  panels: [
    number(
      "Tables behind vacuum",
      "short",
      `sum(${chosen("pgroundwork_tables_behind_vacuum")})`,
      "With twice as many dead rows as those at which autovacuum starts.",
    ),
    number(
      "Invalid indexes",
      "short",
      `sum(${chosen("pgroundwork_invalid_indexes")})`,
      "They cost writes, and no statement uses them.",
    ),
    graph("Rows", "short", { "{{database}}": chosen("pgroundwork_live_rows") }, "As the server estimates them."),
    graph(
      "Dead rows",
      "short",
      { "{{database}}": chosen("pgroundwork_dead_rows") },
      "They take space, and scans read them, until vacuum removes them.",
    ),
    graph(
      "Scans",
      "ops",
      {
        "{{database}} sequential": rateOf("pgroundwork_sequential_scans"),
        "{{database}} by index": rateOf("pgroundwork_index_scans"),
      },
      "In a second. Sequential scans of large tables often lack an index.",
    ),
    graph(
      "Largest tables",
      "bytes",
      { "{{database}} {{table}}": `topk(10, ${chosen("pgroundwork_table_bytes")})` },
      "Without their indexes.",
    ),
    graph(
      "Dead rows of the largest tables",
      "short",
      { "{{database}} {{table}}": `topk(10, ${chosen("pgroundwork_table_dead_rows")})` },
      "Growing for days: a long transaction or a slot holds vacuum back.",
    ),
    graph("Tables", "short", { "{{database}}": chosen("pgroundwork_tables") }, "Number."),
  ],
};
