import type * as pulumi from "@pulumi/pulumi";
import { findExisting } from "../components/existing.ts";
import type { Server } from "../components/server.ts";
import { declareServerRoles } from "../components/server-roles.ts";

/** A server as the databases of a program need it, besides its connection. */
export interface ProgramServer extends Server {
  /** Name of the component, which the names of the server's roles begin with. */
  readonly resourceName: string;
  /** A change generates all passwords of the server and its databases again. */
  readonly passwordVersion: string;
  /** True if the server's roles refuse deletion. */
  readonly isProtected: boolean;
  /** Returns the extensions that the server can create; undefined if a preview cannot know them. */
  availableExtensions(): Promise<ReadonlySet<string> | undefined>;
}

const declared = new WeakMap<ProgramServer, Promise<pulumi.Resource[]>>();

/** Declares a server's own roles, once, when its first database needs them. */
export function rolesOf(server: ProgramServer): Promise<pulumi.Resource[]> {
  const known = declared.get(server);
  if (known !== undefined) return known;
  const roles = declareRoles(server);
  declared.set(server, roles);
  return roles;
}

async function declareRoles(server: ProgramServer): Promise<pulumi.Resource[]> {
  const existing = await findExisting(server, []);
  const { resourceName, passwordVersion, isProtected: protect } = server;
  return declareServerRoles(resourceName, { server, existing, passwordVersion, protect }).roles;
}
