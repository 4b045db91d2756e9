/** One line or number of a panel. */
export interface PanelQuery {
  /** PromQL. `$database` is the pattern of chosen databases, `$__rate_interval` is Grafana's. */
  expr: string;
  /** Name of the series, with `{{label}}` for labels. */
  legend: string;
}

export interface PanelDefinition {
  title: string;
  /** Text that says how to read it. */
  description: string;
  /** `number` shows the last value, `graph` shows it over time. */
  kind: "number" | "graph";
  /** Grafana's id of a unit. */
  unit: string;
  queries: readonly PanelQuery[];
}

export interface DashboardDefinition {
  /** Part of its address and its file's name. It never changes, since others link to it. */
  id: string;
  title: string;
  description: string;
  /** True to offer a choice of databases. */
  choosesDatabases?: boolean;
  panels: readonly PanelDefinition[];
}

/** Returns a panel with the last value of one query. */
export function number(
  title: string,
  unit: string,
  expr: string,
  description: string,
  legend = title,
): PanelDefinition {
  return { title, unit, description, kind: "number", queries: [{ expr, legend }] };
}

/**
 * Returns a panel with values over time.
 *
 * @param queries the expression by the name of its series
 */
export function graph(
  title: string,
  unit: string,
  queries: Readonly<Record<string, string>>,
  description: string,
): PanelDefinition {
  const given = Object.entries(queries).map(([legend, expr]) => ({ legend, expr }));
  return { title, unit, description, kind: "graph", queries: given };
}
