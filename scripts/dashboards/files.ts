import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dashboards } from "./definitions.ts";
import { grafanaDashboard } from "./grafana.ts";

/** Folder of the generated files, in the project directory. */
export const dashboardFolder = "infra/monitoring/grafana/dashboards";

/** Returns the generated files by name. */
export function dashboardFiles(): Map<string, string> {
  return new Map(dashboards.map((each) => [`${each.id}.json`, `${JSON.stringify(grafanaDashboard(each), null, 2)}\n`]));
}

/**
 * Returns the names of files that differ from what is generated. With `write`, updates them.
 *
 * @param root project directory
 */
export async function outdatedDashboards(root: string, write: boolean): Promise<string[]> {
  const folder = join(root, dashboardFolder);
  const wanted = dashboardFiles();
  const present = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  const outdated: string[] = [];
  for (const name of new Set([...wanted.keys(), ...present])) {
    const text = wanted.get(name);
    const before = present.includes(name) ? await readFile(join(folder, name), "utf8") : undefined;
    if (before === text) continue;
    outdated.push(name);
    if (!write) continue;
    if (text === undefined) await rm(join(folder, name));
    else await writeFile(join(folder, name), text);
  }
  return outdated;
}
