import { serveHealth } from "../../scripts/health/server/serve.ts";
import { settingsFromEnvironment } from "../../scripts/health/settings.ts";

/* Serves the health of the server whose connection is in the variable CONNECTION, as JSON, on a free port. */

const { url } = await serveHealth({
  connection: JSON.parse(process.env.CONNECTION ?? ""),
  settings: settingsFromEnvironment(process.env),
  port: 0,
  historyFile: process.env.HISTORY,
  version: "1.0.0",
});
process.stdout.write(`${url}\n`);
