import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { databaseRoles, roleName, serverRoles } from "../plan/names.ts";
import { serverRolePlans } from "../plan/privileges.ts";
import { existingObjects } from "../provider/sdk.ts";
import type { Server } from "./server.ts";

/**
 * What a server has of what is declared on it. Such a thing is imported and not made: creating it fails with "already exists" under the official
 * provider. Where it stands in the state already, the engine takes the option for what it is.
 */
export interface Existing {
  /** False: it could not be asked, in a preview, and the sets are empty. */
  known: boolean;
  roles: ReadonlySet<string>;
  databases: ReadonlySet<string>;
}

const nothing: Existing = { known: false, roles: new Set(), databases: new Set() };

/**
 * Asks a server, once it is ready, for the roles and databases that will be declared on it.
 *
 * A preview goes on without an answer: a server that is not there yet has nothing, and of one that is down the preview says so elsewhere.
 *
 * @throws RunError where the server cannot be asked in an `up`
 */
export async function findExisting(server: Server, databases: readonly string[]): Promise<Existing> {
  const roles = [
    ...serverRoles.map((role) => serverRolePlans[role].name),
    ...databases.flatMap((name) => databaseRoles.map((role) => roleName(name, role))),
  ];
  const answer = await askServer(server, roles, databases);
  if (answer.known) return answer;
  const fault = `The server could not be asked what it has: ${answer.reason ?? "its address is not known"}`;
  if (!pulumi.runtime.isDryRun()) throw new RunError(fault);
  if (answer.reason !== undefined && !answer.isDown) void pulumi.log.warn(fault, server);
  return nothing;
}

/** What a server has, or why it does not say. */
type Answer = (Existing & { known: true }) | { known: false; isDown: boolean; reason: string | undefined };

/** Asks a server, as its admin, which of these roles and databases it has. */
export async function askServer(
  server: Server,
  roles: readonly string[],
  databases: readonly string[],
): Promise<Answer> {
  const { host, port, sslmode, caCertificate, admin } = server;
  const connection = { host, port, sslmode, caCertificate, database: "postgres", ...admin };
  const answer = await existingObjects({ ...connection, roles, databases }, { parent: server });
  if (!answer.known) return answer;
  return { known: true, roles: new Set(answer.roles), databases: new Set(answer.databases) };
}
