import { describe, expect, it } from "vitest";
import { dashboards } from "../../../../scripts/dashboards/definitions.ts";
import { dashboardFiles, outdatedDashboards } from "../../../../scripts/dashboards/files.ts";
import { cloneRoot } from "../../../clone-root.ts";

interface GrafanaPanel {
  id: number;
  title: string;
  datasource: { uid: string };
  targets: { refId: string; expr: string; instant?: boolean }[];
}
const files = [...dashboardFiles()].map(([name, text]) => {
  return { name, ...(JSON.parse(text) as { uid: string; panels: GrafanaPanel[]; templating: { list: unknown[] } }) };
});

describe("the committed dashboards of Grafana", () => {
  it("are what `npm run dashboards` writes", async () => {
    expect(await outdatedDashboards(cloneRoot, false)).toEqual([]);
  });

  it("have addresses of their own, and panels with one id and one title each", () => {
    expect(new Set(files.map(({ uid }) => uid)).size).toBe(dashboards.length);
    for (const { name, panels } of files) {
      expect(new Set(panels.map(({ id }) => id)).size, name).toBe(panels.length);
      expect(new Set(panels.map(({ title }) => title)).size, name).toBe(panels.length);
    }
  });

  it("query the Prometheus that the reader chooses, and never make a value of a missing one", () => {
    for (const { name, panels, templating } of files) {
      expect(JSON.stringify(templating.list), name).toContain('"datasource"');
      for (const { title, datasource, targets } of panels) {
        expect(datasource.uid, title).toBe("$" + "{datasource}");
        expect(targets.length, title).toBeGreaterThan(0);
        for (const { expr } of targets) expect(expr, title).not.toMatch(/vector\(|absent\(/);
      }
    }
  });

  it("let the reader choose databases if a query depends on the choice", () => {
    for (const { id, panels, choosesDatabases = false } of dashboards)
      expect(
        panels.some(({ queries }) => queries.some(({ expr }) => expr.includes("$database"))),
        id,
      ).toBe(choosesDatabases);
  });
});
