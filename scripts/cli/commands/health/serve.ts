import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import packageJson from "../../../../package.json" with { type: "json" };
import { describeConnection } from "../../../connection/connection.ts";
import { action, type CommandContext } from "../../context.ts";
import { type HealthTarget, healthSettings, healthTarget, withHealthTarget } from "./target.ts";

interface ServeOptions extends HealthTarget {
  host: string;
  port: number;
  hostName?: string[];
  history?: string;
}

export function registerHealthServe(health: Command): void {
  withHealthTarget(health.command("serve"))
    .description("serve health, metrics and a status page over HTTP until Ctrl-C; PGW_HEALTH_TOKEN is its token")
    .option("--host <address>", "address to listen on; others than this machine's need a token", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0 for any free port", port, 8080)
    .option("--host-name <name>", "another name of this server in URLs; can be repeated", collect)
    .option("--history <file>", "file of the history (default: one for each server in .pgroundwork)")
    .action(action<ServeOptions, []>(serve));
}

async function serve(context: CommandContext, { host, port: wanted, hostName = [], history, ...target }: ServeOptions) {
  const { serveHealth } = await import("../../../health/server/serve.ts");
  const { requireSafe } = await import("../../../health/server/access.ts");
  const token = context.env.PGW_HEALTH_TOKEN || undefined;
  requireSafe(host, token);
  const found = await healthTarget(context, target);
  const { connection } = found;
  const settings = await healthSettings(context, found);
  const { historyFile: standard } = await import("../../../health/history.ts");
  const historyFile = history === undefined ? standard(context.root, connection) : resolve(history);
  const { dashboardOf } = await import("./dashboard.ts");
  const dashboard = await dashboardOf(context, target);
  const server = await serveHealth({
    ...{
      connection,
      dashboard: dashboard.source,
      settings,
      host,
      port: wanted,
      token,
      hostNames: hostName,
      historyFile,
      version: packageJson.version,
    },
  });
  context.out.say(`${server.url} shows the health of ${describeConnection(connection)}. Ctrl-C ends it.`);
  await new Promise<void>((end) => {
    if (context.signal.aborted) end();
    else context.signal.addEventListener("abort", () => end(), { once: true });
  });
  await server.stop();
  await dashboard.close();
  return undefined;
}

function port(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : -1;
  if (number < 0 || number > 65_535) throw new InvalidArgumentError("expected a port from 0 to 65535.");
  return number;
}

function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}
