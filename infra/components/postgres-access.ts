import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { postgresGrants } from "../../scripts/model/privileges.ts";
import type { Existing } from "./checks/existing-objects.ts";
import type { Server } from "./server.ts";

/**
 * Closes the database `postgres` to PUBLIC, once the server's own roles can connect to it. Every role of every database
 * could connect there otherwise. A role that does not own the database cannot do that, and a message says so.
 *
 * @param roles the server's own roles
 * @returns the last declared resources: other grants on the database wait for them
 */
export function declarePostgresAccess(
  name: string,
  server: Server,
  existing: Existing,
  roles: readonly pulumi.Resource[],
): readonly pulumi.Resource[] {
  const { ownsPostgres, publicConnects, connectingByPublic } = existing.postgres ?? {
    ownsPostgres: true,
    publicConnects: false,
    connectingByPublic: [],
  };
  if (!ownsPostgres) {
    if (publicConnects) void pulumi.log.info(notPermitted, server);
    return roles;
  }
  if (publicConnects && connectingByPublic.length > 0) void pulumi.log.warn(losing(connectingByPublic), server);
  let last = [...roles];
  // One after the other: PostgreSQL answers parallel grants on one database with "tuple concurrently updated".
  for (const { role, on, privileges } of postgresGrants) {
    const grant = new postgresql.Grant(
      `${name}-connect-${role}`,
      { role, database: "postgres", objectType: on, privileges },
      {
        parent: server,
        provider: server.provider,
        deletedWith: server.process,
        retainOnDelete: true,
        dependsOn: last,
      },
    );
    last = [grant];
  }
  return last;
}

const notPermitted = [
  "PUBLIC can connect to the database postgres. The login of this stack does not own it, so `up` cannot revoke that.",
  "As its owner, run GRANT CONNECT ON DATABASE postgres TO monitor, backup; then REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;",
].join(" ");

function losing(roles: readonly string[]): string {
  return `In this stack, PUBLIC has no privileges on the database postgres. Roles that can connect to it only because PUBLIC still can: ${roles.join(", ")}. If one needs it, run GRANT CONNECT ON DATABASE postgres TO that role.`;
}
