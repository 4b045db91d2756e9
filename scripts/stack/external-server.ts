import { resolve } from "node:path";
import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { isFromServer } from "../connection/server-fault.ts";
import { parseConnectionUrl } from "../connection/url.ts";
import { OperationError } from "../core/operation-error.ts";
import { databaseRoles, roleName, serverRoles } from "../model/names.ts";
import { serverRolePlans } from "../model/privileges.ts";
import type { DeclaredSettings } from "./declared-settings.ts";
import { runOnStack } from "./engine-process.ts";
import type { Stack } from "./stack.ts";
import { requireStackSecrets } from "./stack-secrets.ts";

/** Connection to a stack's server, or the reason why there is none. */
export type Reached = { connection: Connection } | { reason: string };

/** Objects on an external server that have the names of a stack's, or the reason why they are not known. */
export type ExternalObjects =
  | { known: true; databases: string[]; roles: string[] }
  | { known: false; reason: string; databases: readonly string[] };

/**
 * Returns the login for a stack's external server from the settings. A stack whose first `up` failed has no outputs,
 * but it may have created objects with this login.
 */
export async function externalLogin(stack: Stack, { url }: DeclaredSettings): Promise<Reached> {
  if (url === undefined) return { reason: "the settings have no pgroundwork:url" };
  const { connection, faults = [] } = parseConnectionUrl(url, "pgroundwork:url");
  if (connection === undefined) return { reason: faults.join("; ") };
  const { sslrootcert } = connection;
  const password = await passwordInSettings(stack);
  if ("reason" in password) return password;
  return {
    connection: {
      ...connection,
      ...password,
      ...(sslrootcert === undefined ? {} : { sslrootcert: resolve(stack.root, sslrootcert) }),
    },
  };
}

/** Reads the password through the engine, which can decrypt it. The engine needs a state of the stack for that. */
async function passwordInSettings(stack: Stack): Promise<{ password: string } | Unknown> {
  const lines: string[] = [];
  try {
    requireStackSecrets(stack);
    const args = ["config", "get", "pgroundwork:superuserPassword", "--stack", stack.name];
    const { code, stderr } = await runOnStack(stack, { args, onLine: (line) => lines.push(line) });
    if (code === 0) return { password: lines.join("\n") };
    return { reason: `its password could not be read from the settings (${stderr.trim().replace(/^error: /, "")})` };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { reason: error.message };
  }
}

type Unknown = { reason: string };

/** Looks for the roles and databases of a stack on its external server. Only reads. */
export async function findExternalObjects(login: Reached, databases: readonly string[]): Promise<ExternalObjects> {
  if ("reason" in login) return { known: false, reason: login.reason, databases };
  const roles = [
    ...serverRoles.map((role) => serverRolePlans[role].name),
    ...databases.flatMap((name) => databaseRoles.map((role) => roleName(name, role))),
  ];
  try {
    return await withClient(login.connection, async (client) => {
      const { rows } = await client.query<{ databases: string[]; roles: string[] }>(
        `SELECT ARRAY(SELECT datname::text FROM pg_catalog.pg_database WHERE datname = ANY ($1) ORDER BY 1) AS databases,
                ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY ($2) ORDER BY 1) AS roles`,
        [databases, roles],
      );
      return { known: true, databases: rows[0]?.databases ?? [], roles: rows[0]?.roles ?? [] };
    });
  } catch (error) {
    if (error instanceof OperationError || isFromServer(error))
      return { known: false, reason: error.message, databases };
    throw error;
  }
}

/** Lists the objects, one entry for each kind. The list is empty only if it is known that there are none. */
export function listExternalObjects(objects: ExternalObjects): string[] {
  if (!objects.known) {
    const names = objects.databases.length === 0 ? "" : `, possibly ${named("database", objects.databases)}`;
    return [`whatever the external server has of this stack${names} (not known: ${objects.reason.replace(/\.$/, "")})`];
  }
  const { databases, roles } = objects;
  return [
    ...(databases.length === 0 ? [] : [`${named("database", databases)} on the external server`]),
    ...(roles.length === 0 ? [] : [`${named("role", roles)} on the external server`]),
  ];
}

/** Says in one sentence what the external server keeps. */
export function describeExternalObjects(objects: ExternalObjects): string {
  const kept = listExternalObjects(objects);
  if (kept.length === 0) return "The external server has no database and no role with the names of this stack's.";
  return `Kept: ${kept.join("; ")}.`;
}

/** Formats names: `the role a`, `the databases b, c`. */
function named(kind: string, names: readonly string[]): string {
  return `the ${kind}${names.length === 1 ? "" : "s"} ${names.join(", ")}`;
}
