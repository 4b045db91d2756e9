import * as pulumi from "@pulumi/pulumi";
import type { ServerRole } from "../../scripts/model/names.ts";
import { limitedServerRolePlans, serverRolePlans, withReservedConnections } from "../../scripts/model/privileges.ts";
import { MonitoringSchema } from "../provider/sdk/databases.ts";
import type { Existing } from "./checks/existing-objects.ts";
import { warnOfVanished } from "./checks/vanished-objects.ts";
import { declareLogin } from "./login-role.ts";
import { declarePostgresAccess } from "./postgres-access.ts";
import { adminConnection, type Login, type Server } from "./server.ts";

export interface ServerRolesArgs {
  server: Server;
  existing: Existing;
  /** Rotation trigger: a change generates all passwords again. */
  passwordVersion: string;
  /** True if the roles refuse deletion even by `pulumi destroy`. */
  protect: boolean;
}

/** Roles that can connect to every database of a server. */
export interface ServerRoles {
  logins: Record<ServerRole, Login>;
  /** Roles that databases depend on. */
  roles: pulumi.Resource[];
  /** Last grants on the database `postgres`. Parallel ones fail with "tuple concurrently updated". */
  postgresAccess: readonly pulumi.Resource[];
  /** The schema in `postgres` in which the exporter reads statements. */
  monitoring: pulumi.Resource;
}

/**
 * Declares a server's own roles as its children, and their access to the database `postgres`. They are not part of the
 * server's component, since the server must first answer which of them exist.
 */
export function declareServerRoles(name: string, args: ServerRolesArgs): ServerRoles {
  const { server, existing, passwordVersion, protect } = args;
  const plans = server.limitedAdmin === true ? limitedServerRolePlans : serverRolePlans;
  const planOf = (role: ServerRole) =>
    server.reservesConnections === true ? withReservedConnections(plans[role]) : plans[role];
  const login = (role: ServerRole) =>
    declareLogin(`${name}-${role}`, planOf(role), existing, passwordVersion, {
      parent: server,
      provider: server.provider,
      deletedWith: server.process,
      protect,
    });
  const [monitor, backup] = [login("monitor"), login("backup")];
  const there = warnOfVanished(
    server,
    existing,
    [monitor, backup].map(({ login: { user }, role }) => ({ kind: "roles", name: user, resource: role })),
  );
  const roles = [monitor.role, backup.role];
  const postgresAccess = declarePostgresAccess(name, server, existing, roles);
  // Waits for the check, so that a role that was dropped is reported once.
  const user = pulumi.all([monitor.login.user, there]).apply(([known]) => known);
  const monitoring = new MonitoringSchema(
    `${name}-monitoring`,
    { ...adminConnection(server, "postgres"), monitor: user },
    { parent: server, deletedWith: server.process, dependsOn: roles },
  );
  return { logins: { monitor: monitor.login, backup: backup.login }, roles, postgresAccess, monitoring };
}
