import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Kysely } from "kysely";
import type { Connection } from "../../../connection/connection.ts";
import type { Dashboard } from "../../../health/server/serve.ts";
import type { CommandContext } from "../../context.ts";
import { givenConnection, resolveTargets, type Target } from "../../target.ts";
import type { HealthTarget } from "./target.ts";

/** The exports of `data/dashboard.ts`. */
interface DashboardModule {
  dashboardStats?: (database: Kysely<unknown>) => Promise<unknown>;
}

/** A dashboard, or the reason why there is none, and a function that closes its connections. */
interface OpenDashboard {
  source: Dashboard;
  close: () => Promise<void>;
}

/** Opens the dashboard of the stack's database that has one, with its `readonly` login. */
export async function dashboardOf(
  context: CommandContext,
  { role: _, ...options }: HealthTarget,
): Promise<OpenDashboard> {
  if (givenConnection(context, options) !== undefined)
    return without("It needs the readonly login of a stack, and this server is known by its connection only.");
  const targets = await resolveTargets(context, options, "readonly");
  const having = targets.filter((target) => existsSync(fileOf(target)));
  const [target] = having;
  if (target === undefined) return without("No database of this stack has data/dashboard.ts.");
  if (having.length > 1)
    return without(`${having.map(({ database }) => database).join(", ")} have data/dashboard.ts: serve one with -d.`);
  return openDashboard(target.connection, fileOf(target));
}

/**
 * Opens the dashboard of a file, which reads with this login. Callers that ask at the same time share one reading.
 *
 * @param file absolute path of `data/dashboard.ts`
 */
export async function openDashboard(login: Connection, file: string): Promise<OpenDashboard> {
  const { dashboardStats } = (await import(pathToFileURL(file).href)) as DashboardModule;
  if (dashboardStats === undefined) return without(`${file} exports no function dashboardStats.`);
  const { createPool } = await import("../../../client/create-pool.ts");
  const { kyselyOn } = await import("../../../client/kysely.ts");
  const { host, port, database, user, password, sslmode, sslrootcert, ca } = login;
  const pool = createPool({
    ...{ env: {}, max: 3, min: 0, connectionTimeoutMs: 5_000, applicationName: "pgroundwork-health" },
    connection: { hosts: [{ host, port }], database, user, password, sslmode, sslrootcert, ca },
    // The mode is that of the stack.
    allowUnverifiedServers: true,
  });
  const kysely = kyselyOn<unknown>(pool);
  let running: Promise<unknown> | undefined;
  const read = () => {
    running ??= dashboardStats(kysely).finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    source: { read },
    close: async () => {
      await pool.end({ timeoutMs: 1_000 });
    },
  };
}

function without(reason: string): OpenDashboard {
  return { source: { reason }, close: async () => {} };
}

function fileOf({ folder }: Target): string {
  return join(folder, "data", "dashboard.ts");
}
