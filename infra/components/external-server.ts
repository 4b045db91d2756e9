import type * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { RunError } from "@pulumi/pulumi/errors.js";
import type { SslMode } from "../../scripts/connection/connection.ts";
import { roleName, serverRoles } from "../../scripts/model/names.ts";
import { limitedServerRolePlans, planPrivileges } from "../../scripts/model/privileges.ts";
import { availableExtensions, missingRights, type NotQueried } from "../provider/sdk/functions.ts";
import { adminAccess } from "./admin-access.ts";
import type { Login, Server } from "./server.ts";

/** Connection as the superuser, or as a role that can create roles and databases. */
export interface ExternalAccess {
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  /** Database that exists already. */
  database: string;
  user: string;
  password: pulumi.Output<string>;
  sslmode: SslMode;
  /** CA certificates that verify the server's certificate, PEM. Default: Node's own list. */
  caCertificate?: pulumi.Input<string> | undefined;
  /** True if the role is a superuser. Managed servers do not provide one. */
  superuser: boolean;
  /** Name of the setting or argument that says so, and of the one with the role, for messages. */
  names: { superuser: string; user: string };
}

export interface ExternalServerArgs extends ExternalAccess {
  /** Path of a file with the CA certificates, for the postgresql provider, which accepts only a file. */
  sslrootcert?: pulumi.Input<string> | undefined;
  /** Limit for waiting until SQL runs, in seconds. */
  readyTimeout: number;
}

/** A server that is run by others. The stack manages the objects on it, but not the server itself. */
export class ExternalServer extends pulumi.ComponentResource implements Server {
  readonly process: pulumi.Resource;
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  readonly sslmode: SslMode;
  readonly caCertificate?: pulumi.Output<string>;
  readonly limitedAdmin: boolean;
  readonly isExternal = true;
  readonly version: pulumi.Output<string>;
  readonly superuser: Login;
  readonly admin: Login;
  readonly provider: postgresql.Provider;

  constructor(name: string, args: ExternalServerArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:ExternalServer", name, {}, options);
    const { host, port, database, user, sslmode, caCertificate, sslrootcert, readyTimeout } = args;
    this.sslmode = sslmode;
    this.limitedAdmin = !args.superuser;
    if (caCertificate !== undefined) this.caCertificate = pulumi.output(caCertificate);
    this.superuser = { user, password: args.password };
    const access = adminAccess(
      name,
      {
        ...{ host, port, database, login: this.superuser, superuser: args.superuser },
        ...{ sslmode, caCertificate, sslrootcert, trigger: 0, readyTimeout },
      },
      this,
    );
    // The stack owns its objects on the server until they are erased: destroying the stack drops nothing.
    this.process = access.ready;
    ({ host: this.host, port: this.port, version: this.version, admin: this.admin, provider: this.provider } = access);
    this.registerOutputs({ host: this.host, port: this.port, version: this.version });
  }
}

/**
 * Returns the extensions that an external server has, or undefined if it is down at a preview.
 *
 * @throws RunError if the server refuses, or if it is down at an `up`
 */
export async function extensionsOfServer(access: ExternalAccess): Promise<ReadonlySet<string> | undefined> {
  const answer = await availableExtensions(connectionArgs(access));
  if (answer.known) return new Set(answer.extensions);
  warnOfDown("The server could not be queried for its extensions", answer);
  return undefined;
}

/**
 * Warns that a server is down, so that a preview shows less.
 *
 * @throws RunError if the server refuses, or if this is an `up`, which will fail in the same way
 */
function warnOfDown(fault: string, { isDown, reason }: NotQueried): void {
  if (!isDown || !pulumi.runtime.isDryRun()) throw new RunError(`${fault}: ${reason}`);
  void pulumi.log.warn(`${fault}: ${reason}`);
}

/** A database with the extensions that its file declares. */
export interface WithExtensions {
  name: string;
  extensions: readonly { name: string; optional: boolean; schema?: string }[];
}

/**
 * Compares the rights of the role with those that the stack needs. Returns the optional extensions that it cannot
 * create, as `database extension`. A preview returns none if the server is down.
 *
 * @throws RunError that lists all missing rights; if the server refuses; or if it is down at an `up`
 */
export async function requireRights(
  access: ExternalAccess,
  databases: readonly WithExtensions[],
): Promise<ReadonlySet<string>> {
  const declared = {
    roles: [
      ...serverRoles.map((role) => limitedServerRolePlans[role]),
      ...databases.flatMap(({ name }) => Object.values(planPrivileges(name).roles)),
    ],
    databases: databases.map(({ name, extensions }) => ({ name, owner: roleName(name, "owner"), extensions })),
  };
  const answer = await missingRights({ ...connectionArgs(access), declared: JSON.stringify(declared) });
  if (!answer.known) {
    warnOfDown(`The server could not be queried for the rights of "${access.user}"`, answer);
    return new Set();
  }
  if (access.superuser) {
    if (answer.isSuperuser) return new Set();
    throw new RunError(
      `Role "${access.user}" in ${access.names.user} is not a superuser.\n  Set ${access.names.superuser} to false.`,
    );
  }
  if (answer.message === undefined) return new Set(answer.leftOut);
  throw new RunError(
    `${answer.message}\n  Ask the owner of the server to run these statements as a superuser or an administrator, then run again.`,
  );
}

function connectionArgs({ host, port, database, user, password, sslmode, caCertificate }: ExternalAccess) {
  return { host, port, database, user, password, sslmode, caCertificate };
}
