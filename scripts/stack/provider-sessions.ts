import { resolve } from "node:path";
import pg from "pg";
import { type Connection, clientConfig } from "../connection/connection.ts";
import { limitSettings, settingsOptions } from "../connection/session-settings.ts";
import { parseConnectionUrl } from "../connection/url.ts";
import { OperationError } from "../core/operation-error.ts";
import { declaredSettings } from "./declared-settings.ts";
import type { Stack } from "./stack.ts";
import { resourcesOf } from "./stored-state.ts";

/**
 * Limits that every maintained server version has. An unknown parameter ends the connection with "unrecognized
 * configuration parameter".
 */
const oldLimits = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];

/** First major version of the other limits. */
const newLimits: Readonly<Record<string, number>> = { idle_session_timeout: 14, transaction_timeout: 17 };

/**
 * Keeps the plugin's statements out of the log of slow statements, because it sends passwords as plain text. Only a
 * superuser may set this, and the plugin is one on the kit's own servers.
 */
const unloggedStatements = { log_min_duration_statement: "-1" };

/**
 * Returns variables that free the sessions of the official postgresql plugin from the server's limits. The plugin sets
 * none itself, and its driver reads PGOPTIONS. The user's own PGOPTIONS come first. PGW_USER_PGOPTIONS passes them on
 * to the user's own commands. If a connection pooler refuses such options, nothing is set.
 */
export async function providerSessions(stack: Stack): Promise<Record<string, string>> {
  const { kind, url } = await declaredSettings(stack.root, stack.name);
  const users = process.env.PGOPTIONS ?? "";
  const set = (settings: Readonly<Record<string, string>>) => ({
    PGOPTIONS: [users, settingsOptions(settings)].filter((options) => options !== "").join(" "),
    PGW_USER_PGOPTIONS: users,
  });
  // The kit's own servers are of version 17, with no pooler in front of them.
  if (kind !== "external") return set({ ...limitSettings, ...unloggedStatements });
  const connection = connectionOf(stack.root, url);
  const settings = limitsOf(connection === undefined ? undefined : await majorInState(stack));
  if (connection === undefined || !(await acceptsOptions(connection, settingsOptions(settings)))) return {};
  return set(settings);
}

/**
 * Returns the limits that a server of this version has, with the values for the plugin's sessions.
 *
 * @param major undefined if unknown
 */
export function limitsOf(major: number | undefined): Record<string, string> {
  const has = (name: string) => oldLimits.includes(name) || (major !== undefined && major >= (newLimits[name] ?? 0));
  return Object.fromEntries(Object.entries(limitSettings).filter(([name]) => has(name)));
}

/**
 * Returns true if a server accepts options when a session starts. A pooler refuses them before it asks for the
 * password, and a server checks them afterwards. So the connection ends at the password request, and no password is
 * sent.
 */
export async function acceptsOptions(connection: Connection, options: string): Promise<boolean> {
  let isAsked = false;
  const password = () => {
    isAsked = true;
    throw new Error("The password is not needed.");
  };
  const client = new pg.Client({ ...clientConfig(connection), options, password });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    // The operation reports all other errors of the connection.
    return isAsked;
  } finally {
    client.end().catch(() => undefined);
  }
}

/** Parses the URL of an external server. The program reports errors in it. */
function connectionOf(root: string, url: string | undefined): Connection | undefined {
  const { connection } = parseConnectionUrl(url ?? "", "pgroundwork:url");
  if (connection?.sslrootcert === undefined) return connection;
  return { ...connection, sslrootcert: resolve(root, connection.sslrootcert) };
}

/** Returns the server's major version at the last `up`. */
async function majorInState(stack: Stack): Promise<number | undefined> {
  try {
    const resources = await resourcesOf(stack);
    const version = resources.find(({ type }) => type === "pgroundwork:index:Ready")?.outputs?.serverVersion;
    const major = typeof version === "string" ? Number.parseInt(version, 10) : Number.NaN;
    return Number.isNaN(major) ? undefined : major;
  } catch (error) {
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}
