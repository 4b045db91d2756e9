import type * as pulumi from "@pulumi/pulumi";
import type { ServerRole } from "../plan/names.ts";
import { serverRolePlans, withReservedConnections } from "../plan/privileges.ts";
import type { Existing } from "./existing.ts";
import { declareLogin } from "./login-role.ts";
import type { Login, Server } from "./server.ts";
import { noticeVanished } from "./vanished.ts";

export interface ServerRolesArgs {
  server: Server;
  existing: Existing;
  /** All passwords are made anew when it changes. */
  passwordKeeper: string;
  /** Whether roles refuse to be deleted even by `pulumi destroy`. */
  protect: boolean;
}

/** The roles that every database of a server lets in. */
export interface ServerRoles {
  logins: Record<ServerRole, Login>;
  /** What databases wait for. */
  roles: pulumi.Resource[];
}

/** Declares a server's own roles as its children. Apart from the server, since it has to answer first which of them it has already. */
export function declareServerRoles(name: string, args: ServerRolesArgs): ServerRoles {
  const { server, existing, passwordKeeper, protect } = args;
  const planOf = (role: ServerRole) =>
    server.reservesConnections === true ? withReservedConnections(serverRolePlans[role]) : serverRolePlans[role];
  const login = (role: ServerRole) =>
    declareLogin(`${name}-${role}`, planOf(role), existing, passwordKeeper, {
      parent: server,
      provider: server.provider,
      deletedWith: server.process,
      protect,
    });
  const [monitor, backup] = [login("monitor"), login("backup")];
  noticeVanished(
    server,
    existing,
    [monitor, backup].map(({ login: { user }, role }) => ({ kind: "roles", name: user, resource: role })),
  );
  return { logins: { monitor: monitor.login, backup: backup.login }, roles: [monitor.role, backup.role] };
}
