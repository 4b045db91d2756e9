import { fileURLToPath } from "node:url";
import { dashboardFolder, outdatedDashboards } from "./files.ts";

// `npm run dashboards`: generates the Grafana dashboards again.
const root = fileURLToPath(new URL("../..", import.meta.url));
for (const name of await outdatedDashboards(root, true)) process.stdout.write(`updated ${dashboardFolder}/${name}\n`);
