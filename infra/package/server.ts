import type * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import { type Existing, findExisting } from "../components/checks/existing-objects.ts";
import type { WithExtensions } from "../components/external-server.ts";
import { declareCron } from "../components/jobs.ts";
import type { Server } from "../components/server.ts";
import { declareServerRoles, type ServerRoles } from "../components/server-roles.ts";

/** A server as the databases of a program need it, besides its connection. */
export interface ProgramServer extends Server {
  /** Name of the component, which the names of the server's roles begin with. */
  readonly resourceName: string;
  /** A change generates all passwords of the server and its databases again. */
  readonly passwordVersion: string;
  /** True if the server's roles refuse deletion. */
  readonly isProtected: boolean;
  /** True if the server has pg_cron, which runs the jobs of databases. */
  readonly runsJobs: boolean;
  /** Hint for databases that need an extension which the server does not have. */
  readonly extensionHint: string;
  /** Returns the extensions that the server can create; undefined if a preview cannot know them. */
  availableExtensions(): Promise<ReadonlySet<string> | undefined>;
  /**
   * Returns the optional extensions of a database that the server's admin cannot create, as `database extension`.
   * Omitted if the admin is a superuser by construction.
   *
   * @throws RunError that lists all missing rights
   */
  requireRights?(database: WithExtensions): Promise<ReadonlySet<string>>;
}

/** Returns a function that works once for each server and remembers the result. */
function oncePerServer<T>(work: (server: ProgramServer) => T): (server: ProgramServer) => T {
  const results = new WeakMap<ProgramServer, { result: T }>();
  return (server) => {
    const known = results.get(server) ?? { result: work(server) };
    results.set(server, known);
    return known.result;
  };
}

/** The roles of a server, and the declared objects that it already has. */
interface DeclaredRoles extends ServerRoles {
  existing: Existing;
}

/** Declares a server's own roles when its first database or sidecar needs them. */
export const rolesOf = oncePerServer(async (server): Promise<DeclaredRoles> => {
  const existing = await findExisting(server, []);
  const { resourceName, passwordVersion, isProtected: protect } = server;
  return { ...declareServerRoles(resourceName, { server, existing, passwordVersion, protect }), existing };
});

/** Declares pg_cron when the first database with jobs needs it. */
export const cronOf = oncePerServer(
  (server): pulumi.Resource => declareCron(server.resourceName, server, server.isProtected),
);

const claimed = new WeakMap<ProgramServer, Set<string>>();

/**
 * Requires that the components which another one uses belong to its server.
 *
 * @param component type and name of the other one, for the message
 * @param used components by the name of the argument; undefined ones are left out
 * @throws RunError that names the two servers
 */
export function requireSameServer(
  component: string,
  server: ProgramServer,
  used: Readonly<Record<string, { server: ProgramServer } | undefined>>,
): void {
  for (const [argument, given] of Object.entries(used))
    if (given !== undefined && given.server !== server) {
      const names = `${given.server.resourceName}, and not to ${server.resourceName}`;
      throw new RunError(`${component}: \`${argument}\` belongs to the server ${names}. Pass one of the same server.`);
    }
}

/** @throws RunError if another component of the program has already declared this on the server */
export function claim(server: ProgramServer, what: string): void {
  const names = claimed.get(server) ?? new Set();
  claimed.set(server, names);
  if (names.has(what)) throw new RunError(`The server ${server.resourceName} has ${what} twice in this program.`);
  names.add(what);
}
