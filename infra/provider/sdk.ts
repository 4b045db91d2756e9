import * as pulumi from "@pulumi/pulumi";
import { functionToken, resourceToken } from "./token.ts";

/*
 * The program's side of the kit's own provider plugin: what a program writes to declare its resources. Nothing of the plugin itself is
 * loaded by it.
 */

export * from "./backup-sdk.ts";
export * from "./certificate-sdk.ts";
export * from "./container-sdk.ts";

/** The way into one database that a resource uses. */
export interface ConnectionArgs {
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  database: pulumi.Input<string>;
  user: pulumi.Input<string>;
  password: pulumi.Input<string>;
  /** Default: `disable`, for a server on this machine. */
  sslmode?: pulumi.Input<string>;
  /** Authorities to trust, PEM; absent: Node's own list. */
  caCertificate?: pulumi.Input<string> | undefined;
}

export interface EmbeddedServerArgs {
  /** TCP port; absent: a free one, chosen once and kept. */
  port?: pulumi.Input<number> | undefined;
  /** Absolute path; absent: a folder below the user's data folder. */
  dataDirectory?: pulumi.Input<string> | undefined;
  superuserPassword: pulumi.Input<string>;
  /** Further settings of postgresql.conf, values as text. */
  settings: pulumi.Input<Record<string, string>>;
}

/** A PostgreSQL server on this machine that outlives the command. */
export class EmbeddedServer extends pulumi.CustomResource {
  declare readonly host: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  declare readonly dataDirectory: pulumi.Output<string>;
  declare readonly logDirectory: pulumi.Output<string>;
  declare readonly version: pulumi.Output<string>;
  declare readonly pid: pulumi.Output<number>;

  constructor(name: string, args: EmbeddedServerArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = {
      host: undefined,
      dataDirectory: undefined,
      logDirectory: undefined,
      version: undefined,
      pid: undefined,
    };
    super(resourceToken("EmbeddedServer"), name, { ...outputs, ...args, port: args.port }, options);
  }
}

export interface ReadyArgs extends ConnectionArgs {
  /** Waits again when it changes. */
  trigger: pulumi.Input<string | number>;
  /** How long to wait in all, in seconds. */
  timeoutSeconds?: pulumi.Input<number>;
  /** Where the server's log lies, if on this machine: its end is shown when the wait fails. */
  logDirectory?: pulumi.Input<string>;
}

/** Real SQL has run over TCP on the target database. */
export class Ready extends pulumi.CustomResource {
  declare readonly host: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  /** The password that the server takes: in a preview of a rotation still the old one. */
  declare readonly password: pulumi.Output<string>;
  declare readonly serverVersion: pulumi.Output<string>;

  constructor(name: string, args: ReadyArgs, options?: pulumi.CustomResourceOptions) {
    super(
      resourceToken("Ready"),
      name,
      { serverVersion: undefined, ...args },
      { ...options, additionalSecretOutputs: ["password"] },
    );
  }
}

export interface PasswordArgs {
  /** A new password is made when it changes. */
  keeper: pulumi.Input<string>;
}

/** A generated password, secret and kept. */
export class Password extends pulumi.CustomResource {
  declare readonly result: pulumi.Output<string>;

  constructor(name: string, args: PasswordArgs, options?: pulumi.CustomResourceOptions) {
    super(
      resourceToken("Password"),
      name,
      { result: undefined, ...args },
      { ...options, additionalSecretOutputs: ["result"] },
    );
  }
}

export interface MigrationsArgs extends ConnectionArgs {
  /** The database's folder, relative to the project's. */
  folder: pulumi.Input<string>;
  /** Refuses pending files that are unsafe on a database in use. Default: false. */
  lint?: pulumi.Input<boolean>;
}

/** The committed migrations of a database's folder are applied. */
export class Migrations extends pulumi.CustomResource {
  /** Names of all applied files, oldest first. */
  declare readonly applied: pulumi.Output<string[]>;

  constructor(name: string, args: MigrationsArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Migrations"), name, { applied: undefined, ...args }, options);
  }
}

export interface SeedsArgs extends ConnectionArgs {
  /** The database's folder, relative to the project's. */
  folder: pulumi.Input<string>;
  /** The seed set: a folder's name below `seeds`. */
  set: pulumi.Input<string>;
}

/** A seed set of a database's folder is applied. */
export class Seeds extends pulumi.CustomResource {
  /** Names of all applied files, in order. */
  declare readonly applied: pulumi.Output<string[]>;

  constructor(name: string, args: SeedsArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Seeds"), name, { applied: undefined, ...args }, options);
  }
}

export interface PartitionsArgs extends ConnectionArgs {
  /** Schema and name of the database's function that makes partitions ahead. */
  function: pulumi.Input<string>;
  /** How many months ahead of this one. */
  monthsAhead: pulumi.Input<number>;
}

/** The coming months' partitions are there. */
export class Partitions extends pulumi.CustomResource {
  constructor(name: string, args: PartitionsArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Partitions"), name, { ...args }, options);
  }
}

/** Privileges by role: `{shop_app: "SELECT, INSERT"}`. */
export type PrivilegesByRole = Record<string, string>;

export interface TakeoverArgs extends ConnectionArgs {
  /** The role that migrations act as. */
  owner: pulumi.Input<string>;
  /** Roles that may have its rights. */
  members: pulumi.Input<string[]>;
  /** The schema that migrations make their objects in. */
  schema: pulumi.Input<string>;
  /** Privileges on tables and views, on sequences, on functions that are there already. */
  tables: pulumi.Input<PrivilegesByRole>;
  sequences: pulumi.Input<PrivilegesByRole>;
  functions: pulumi.Input<PrivilegesByRole>;
}

/** A database that others have worked in is opened to the stack's roles and closed to PUBLIC, once. */
export class Takeover extends pulumi.CustomResource {
  constructor(name: string, args: TakeoverArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Takeover"), name, { ...args }, options);
  }
}

/** The extensions that a server could make; `known: false`: it could not be asked. */
export type AvailableExtensions = { known: true; extensions: string[] } | { known: false; reason: string };

/** Asks a server which extensions it could make: a plain call, as `existingObjects` is. */
export async function availableExtensions(
  args: ConnectionArgs,
  options?: pulumi.InvokeOptions,
): Promise<AvailableExtensions> {
  const answer: Partial<AvailableExtensions> = await pulumi.runtime.invoke(
    functionToken("availableExtensions"),
    { ...args },
    options,
  );
  return answer.known === undefined
    ? { known: false, reason: "its address is not known yet" }
    : (answer as AvailableExtensions);
}

export interface ExistingObjectsArgs extends ConnectionArgs {
  /** Names of roles to look for. */
  roles: readonly string[];
  /** Names of databases to look for. */
  databases: readonly string[];
}

/** Which of the asked roles and databases a server has; `known: false`: it could not be asked. */
export type ExistingObjects =
  | { known: true; roles: string[]; databases: string[] }
  | { known: false; isDown: boolean; reason: string | undefined };

/**
 * Asks a server which roles and databases it has.
 *
 * A plain call and not one that answers an output, since the answer decides options of resources, which are no outputs. Where a preview does not know an
 * argument yet, Pulumi answers such a call with nothing.
 */
export async function existingObjects(
  args: ExistingObjectsArgs,
  options?: pulumi.InvokeOptions,
): Promise<ExistingObjects> {
  const inputs = { ...args, roles: [...args.roles], databases: [...args.databases] };
  const answer: Partial<ExistingObjects> = await pulumi.runtime.invoke(
    functionToken("existingObjects"),
    inputs,
    options,
  );
  return answer.known === undefined ? { known: false, isDown: false, reason: undefined } : (answer as ExistingObjects);
}
