import {
  LegendDisplayMode,
  ReduceDataOptionsBuilder,
  VizLegendOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import type { DashboardDefinition, PanelDefinition } from "./panels.ts";

/** Label by which the dashboards find each other. */
const tag = "pgroundwork";

/** The Prometheus that the reader chooses at the top of a dashboard. */
const datasource = { type: "prometheus", uid: "$" + "{datasource}" };

/** Sizes of panels, in Grafana's grid of 24 columns. */
const sizes = { number: { width: 6, height: 4 }, graph: { width: 12, height: 8 } } as const;

/** Builds a dashboard in Grafana's own format. */
export function grafanaDashboard(definition: DashboardDefinition): Dashboard {
  const { id, title, description, choosesDatabases = false, panels } = definition;
  const builder = new DashboardBuilder(`PostgreSQL: ${title}`)
    .uid(`pgroundwork-${id}`)
    .description(description)
    .tags([tag])
    .timezone("browser")
    .time({ from: "now-6h", to: "now" })
    .refresh("30s")
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder("PostgreSQL")
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"));
  // "All" is a pattern, so that the dashboard is not empty before the list of databases is there.
  if (choosesDatabases)
    builder.withVariable(
      new QueryVariableBuilder("database")
        .label("Database")
        .datasource(datasource)
        .query("label_values(pg_database_size_bytes, datname)")
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue(".+")
        .current({ text: "All", value: "$__all" }),
    );
  for (const panel of panels) builder.withPanel(panelOf(panel));
  return numbered(builder.build());
}

function panelOf({ kind, title, description, unit, queries }: PanelDefinition) {
  const builder = kind === "number" ? numberBuilder() : graphBuilder();
  const { width, height } = sizes[kind];
  builder.title(title).description(description).unit(unit).datasource(datasource).span(width).height(height);
  queries.forEach(({ expr, legend }, index) => {
    const refId = String.fromCharCode("A".charCodeAt(0) + index);
    const query = new DataqueryBuilder().refId(refId).datasource(datasource).expr(expr).legendFormat(legend);
    // Over a range, a number would be the last one, however old it is.
    builder.withTarget(kind === "number" ? query.instant() : query.range());
  });
  return builder;
}

function numberBuilder(): StatBuilder {
  return new StatBuilder().reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]));
}

function graphBuilder(): TimeseriesBuilder {
  const legend = new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).showLegend(true);
  return new TimeseriesBuilder().fillOpacity(8).lineWidth(1).legend(legend);
}

/** Gives each panel an id, since Grafana would choose new ones, and the files would differ from what it exports. */
function numbered(dashboard: Dashboard): Dashboard {
  dashboard.panels?.forEach((panel, index) => {
    panel.id = index + 1;
  });
  return dashboard;
}
