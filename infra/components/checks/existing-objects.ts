import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { databaseRoles, roleName, serverRoles } from "../../../scripts/model/names.ts";
import { poolerRolePlan } from "../../../scripts/model/pooler.ts";
import { serverRolePlans } from "../../../scripts/model/privileges.ts";
import { existingObjects } from "../../provider/sdk/functions.ts";
import { adminConnection, type Server } from "../server.ts";

/**
 * Declared objects that a server already has. They are imported and not created: creating them fails with "already
 * exists" under the official provider. For objects that are in the state, the engine ignores the import option.
 */
export interface Existing {
  /** False if a preview could not query the server. The sets are then empty. */
  known: boolean;
  roles: ReadonlySet<string>;
  databases: ReadonlySet<string>;
  /** The schema of each extension of these databases, by `database.extension`. */
  extensionSchemas?: ReadonlyMap<string, string>;
  /** Databases that the kit created and that are no longer declared. */
  undeclared: readonly string[];
  /** Privileges on the database `postgres`. */
  postgres?: { ownsPostgres: boolean; publicConnects: boolean; connectingByPublic: readonly string[] };
}

const nothing: Existing = { known: false, roles: new Set(), databases: new Set(), undeclared: [] };

/**
 * Queries a server, once it is ready, for the roles and databases that will be declared on it. Prints the warnings that
 * the server's catalog gives reason to.
 *
 * A preview continues without an answer: a server that does not exist yet has no objects, and the preview reports
 * elsewhere that a server is down. It ends if an external server refuses, because an `up` will fail in the same way.
 *
 * @throws RunError if an `up` cannot query the server, or if an external server refuses; if a commit of an `up` would
 * wait for a synchronous standby that is not connected
 */
export async function findExisting(server: Server, databases: readonly string[]): Promise<Existing> {
  const roles = [
    ...serverRoles.map((role) => serverRolePlans[role].name),
    poolerRolePlan.name,
    ...databases.flatMap((name) => databaseRoles.map((role) => roleName(name, role))),
  ];
  const answer = await askServer(server, roles, databases);
  if (answer.known) {
    const { warnings, endlessCommits, ...existing } = answer;
    if (endlessCommits !== undefined && !pulumi.runtime.isDryRun())
      throw new RunError(`${endlessCommits}\n  Then run \`up\` again.`);
    if (endlessCommits !== undefined) void pulumi.log.warn(endlessCommits, server);
    for (const warning of warnings) void pulumi.log.warn(warning, server);
    return existing;
  }
  const fault = `The server could not be queried for its roles and databases: ${answer.reason ?? "its address is not known"}`;
  const isRefused = answer.reason !== undefined && !answer.isDown;
  if (!pulumi.runtime.isDryRun()) throw new RunError(fault);
  if (server.isExternal && isRefused) throw new RunError(`${fault}\n  ${notPreviewed}`);
  if (server.isExternal) void pulumi.log.warn(`${fault}\n  ${shownAsNew}`, server);
  else if (isRefused) void pulumi.log.warn(fault, server);
  return nothing;
}

const notPreviewed = "Without this answer, a preview would show existing roles and databases as new.";
const shownAsNew = "This preview shows all roles and databases as new, although the server may have them.";

/** Objects of a server, or the reason why it could not be queried. */
type Answer =
  | (Existing & { known: true; warnings: string[]; endlessCommits?: string })
  | { known: false; isDown: boolean; reason: string | undefined };

/** Queries a server, as its admin, for the given roles and databases. */
export async function askServer(
  server: Server,
  roles: readonly string[],
  databases: readonly string[],
): Promise<Answer> {
  const answer = await existingObjects(
    { ...adminConnection(server, "postgres"), roles, databases },
    { parent: server },
  );
  if (!answer.known) return answer;
  const { ownsPostgres, publicConnects, connectingByPublic = [] } = answer;
  const extensions = (answer.extensions ?? []).map((each) => JSON.parse(each) as [string, string, string]);
  return {
    known: true,
    roles: new Set(answer.roles),
    databases: new Set(answer.databases),
    extensionSchemas: new Map(extensions.map(([database, name, schema]) => [`${database}.${name}`, schema])),
    undeclared: answer.undeclared,
    postgres: { ownsPostgres, publicConnects, connectingByPublic },
    warnings: answer.warnings ?? [],
    ...(answer.endlessCommits === undefined ? {} : { endlessCommits: answer.endlessCommits }),
  };
}
