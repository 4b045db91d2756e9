import { join, resolve } from "node:path";
import { escapeIdentifier } from "pg";
import { withClient } from "../../connection/client.ts";
import type { Connection, SslMode } from "../../connection/connection.ts";
import { ConnectionError } from "../../connection/connection-error.ts";
import { refuseEndlessCommits } from "../../connection/synchronous-standbys.ts";
import { OperationError } from "../../core/operation-error.ts";
import { recoverCommand, upCommand } from "../../model/command-lines.ts";
import type { Stack } from "../stack.ts";
import { plainText, readState, type StackState, type StateResource } from "../stack-state.ts";
import type { StackLeftover } from "./leftover.ts";

const providerType = "pulumi:providers:postgresql";
const roleType = "postgresql:index/role:Role";

/**
 * Finds memberships of the superuser in the databases' owners. The official postgresql plugin grants one while it
 * creates a database and then revokes it. A run that is killed in between leaves it. A superuser does not need it. A
 * stopped server cannot be checked.
 */
export async function leftMemberships(stack: Stack, state: StackState | undefined): Promise<StackLeftover[]> {
  const owners = ownersIn(state?.deployment.resources ?? []);
  if (owners.length === 0) return [];
  try {
    const admin = await adminOf(stack);
    if (admin === undefined) return [];
    const roles = await withClient(admin, async (client) => {
      const { rows } = await client.query<{ role: string }>(
        `SELECT DISTINCT owner.rolname::text AS role
           FROM pg_catalog.pg_auth_members m
           JOIN pg_catalog.pg_roles owner ON owner.oid = m.roleid
           JOIN pg_catalog.pg_roles member ON member.oid = m.member
          WHERE member.rolname = CURRENT_USER AND member.rolsuper AND owner.rolname = ANY ($1)
          ORDER BY 1`,
        [owners],
      );
      return rows.map(({ role }) => role);
    });
    return roles.map((role) => leftover(admin, role));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const isUnreachable = error instanceof ConnectionError && error.failure === "unreachable";
    const advice = isUnreachable ? lookLater(stack.name) : error.hint;
    return [
      {
        kind: "server",
        unchecked: isUnreachable ? "not possible" : "failed",
        found: `could not check whether a killed run left the superuser a member of a role: ${error.message}`,
        ...(advice === undefined ? {} : { advice }),
      },
    ];
  }
}

function lookLater(stack: string): string {
  return `If the server is stopped, start it, then check again: ${upCommand(stack)} && ${recoverCommand(stack)}`;
}

function leftover(admin: Connection, role: string): StackLeftover {
  const revoke = `REVOKE ${escapeIdentifier(role)} FROM ${escapeIdentifier(admin.user ?? "")}`;
  return {
    kind: "server",
    found: `a run was killed while it created a database: ${admin.user} is still a member of ${role}`,
    action: revoke,
    act: () =>
      withClient(admin, async (client) => {
        await refuseEndlessCommits(client);
        await client.query(revoke);
      }),
  };
}

/** Returns the names of the roles that own a database of the stack. */
function ownersIn(resources: readonly StateResource[]): string[] {
  return resources
    .filter(({ type, urn }) => type === roleType && urn.endsWith("-owner"))
    .map(({ outputs }) => outputs?.name)
    .filter((name) => typeof name === "string");
}

/** Returns the login of the postgresql provider, from the state. A first run that was killed has no outputs yet. */
export async function adminOf(stack: Stack): Promise<Connection | undefined> {
  const state = await readState(stack, true);
  const provider = (state?.deployment.resources ?? []).find(({ type }) => type === providerType)?.outputs;
  if (provider === undefined) return undefined;
  const value = (key: string) => plainText(provider[key]);
  const [host, port, user, password] = ["host", "port", "username", "password"].map(value);
  if (host === undefined || user === undefined) return undefined;
  return {
    ...{ host, port: Number(port), user, password, database: "postgres" },
    sslmode: value("sslmode") as SslMode,
    sslrootcert: certificateFile(stack.root, value("sslrootcert")),
  } as Connection;
}

/**
 * Resolves the path of a CA file. The provider runs in the program's folder; settings name a file relative to the
 * project directory.
 */
function certificateFile(root: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  return path.startsWith("..") ? join(root, "infra", path) : resolve(root, path);
}
