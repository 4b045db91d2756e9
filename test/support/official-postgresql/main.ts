import pg from "pg";
import { plugin } from "../../../infra/fallback-providers/postgresql/plugin.ts";
import { serve } from "../../../infra/provider-protocol/server.ts";

/*
 * The fallback provider, with sessions like the official plugin's: it applies no settings to them. Both drivers read
 * PGOPTIONS.
 */
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
  if (String(args[0]).includes("as kit (name, value)")) return Promise.resolve({ rows: [] });
  return query.apply(this, args as Parameters<typeof query>);
} as typeof query;

await serve(plugin, process.argv.slice(2));
