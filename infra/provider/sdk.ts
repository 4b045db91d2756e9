import * as pulumi from "@pulumi/pulumi";
import { PluginResource, withPlugin } from "./plugin-resource.ts";
import { functionToken, resourceToken } from "./token.ts";

/*
 * The program's side of the kit's own provider plugin: the classes with which a program declares its resources. It
 * loads nothing of the plugin itself.
 */

export * from "./backup-sdk.ts";
export * from "./certificate-sdk.ts";
export * from "./container-sdk.ts";

/** The connection to one database. */
export interface ConnectionArgs {
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  database: pulumi.Input<string>;
  user: pulumi.Input<string>;
  password: pulumi.Input<string>;
  /** Default: `disable`, for a server on this machine. */
  sslmode?: pulumi.Input<string>;
  /** CA certificates to trust, PEM. If absent, Node's own list. */
  caCertificate?: pulumi.Input<string> | undefined;
}

export interface EmbeddedServerArgs {
  /** TCP port. If absent, a free one is chosen once and kept. */
  port?: pulumi.Input<number> | undefined;
  /** Absolute path. If absent, a folder below the user's data folder. */
  dataDirectory?: pulumi.Input<string> | undefined;
  superuserPassword: pulumi.Input<string>;
  /** Further settings of postgresql.conf, with values as text. */
  settings: pulumi.Input<Record<string, string>>;
}

/** A PostgreSQL server on this machine that outlives the command. */
export class EmbeddedServer extends PluginResource {
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
  /** A change waits again. */
  trigger: pulumi.Input<string | number>;
  /** Total time to wait, in seconds. */
  timeoutSeconds?: pulumi.Input<number>;
  /** Log directory of the server, if it is on this machine. The end of the log is shown if the wait fails. */
  logDirectory?: pulumi.Input<string>;
}

/** A server that has answered real SQL over TCP on the target database. */
export class Ready extends PluginResource {
  declare readonly host: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  /** The password that the server currently accepts. In a preview of a rotation this is still the old one. */
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
  /** Rotation trigger: a change generates a new password. */
  keeper: pulumi.Input<string>;
}

/** A generated password, secret and kept. */
export class Password extends PluginResource {
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
  /** The database's folder, relative to the project directory. */
  folder: pulumi.Input<string>;
  /** Refuses pending files that are unsafe on a database in use. Default: false. */
  lint?: pulumi.Input<boolean>;
  /** Login for hooks marked `root`. */
  adminUser?: pulumi.Input<string>;
  /** Password of that login; a secret. */
  adminPassword?: pulumi.Input<string>;
}

/** The applied migrations of a database's folder. */
export class Migrations extends PluginResource {
  /** Names of all applied files, oldest first. */
  declare readonly applied: pulumi.Output<string[]>;

  constructor(name: string, args: MigrationsArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Migrations"), name, { applied: undefined, ...args }, options);
  }
}

export interface SeedsArgs extends ConnectionArgs {
  /** The database's folder, relative to the project directory. */
  folder: pulumi.Input<string>;
  /** The seed set: the name of a folder below `seeds`. */
  set: pulumi.Input<string>;
}

/** An applied seed set of a database's folder. */
export class Seeds extends PluginResource {
  /** Names of all applied files, in order. */
  declare readonly applied: pulumi.Output<string[]>;

  constructor(name: string, args: SeedsArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Seeds"), name, { applied: undefined, ...args }, options);
  }
}

export interface AdminMembershipArgs extends ConnectionArgs {
  /** Roles that the login administers and has to act as. */
  roles: pulumi.Input<string[]>;
}

/** Memberships of a login that is not a superuser in roles that it administers. */
export class AdminMembership extends PluginResource {
  constructor(name: string, args: AdminMembershipArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("AdminMembership"), name, { ...args }, options);
  }
}

export interface ExtensionPrivilegesArgs extends ConnectionArgs {
  /** Schema of each extension in database.json, by the extension's name. An empty text if it declares none. */
  extensions: pulumi.Input<Record<string, string>>;
}

/** Privileges of a database's roles on its extensions. */
export class ExtensionPrivileges extends PluginResource {
  constructor(name: string, args: ExtensionPrivilegesArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("ExtensionPrivileges"), name, { ...args }, options);
  }
}

export interface JobsArgs extends ConnectionArgs {
  /** Database in which the jobs run. The connection's database has pg_cron. */
  runIn: pulumi.Input<string>;
  /** Role as which they run. */
  runAs: pulumi.Input<string>;
  /** Each job's schedule and command, as JSON, by name. */
  jobs: pulumi.Input<Record<string, string>>;
}

/** Jobs of a database that pg_cron runs on their schedules. */
export class Jobs extends PluginResource {
  constructor(name: string, args: JobsArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Jobs"), name, { ...args }, options);
  }
}

export interface PartitionsArgs extends ConnectionArgs {
  /** Schema and name of the database's function that creates partitions ahead. */
  function: pulumi.Input<string>;
  /** Number of months after the current one. */
  monthsAhead: pulumi.Input<number>;
}

/** Partitions for the coming months. */
export class Partitions extends PluginResource {
  constructor(name: string, args: PartitionsArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Partitions"), name, { ...args }, options);
  }
}

/** Privileges by role: `{shop_app: "SELECT, INSERT"}`. */
export type PrivilegesByRole = Record<string, string>;

export interface TakeoverArgs extends ConnectionArgs {
  /** The role that migrations act as. */
  owner: pulumi.Input<string>;
  /** Roles that can have the owner's rights. */
  members: pulumi.Input<string[]>;
  /** The schema in which migrations create objects. */
  schema: pulumi.Input<string>;
  /** Privileges on existing tables and views, sequences, and functions. */
  tables: pulumi.Input<PrivilegesByRole>;
  sequences: pulumi.Input<PrivilegesByRole>;
  functions: pulumi.Input<PrivilegesByRole>;
}

/** Adopts a database that others have worked in: opens it to the stack's roles and closes it to PUBLIC, once. */
export class Takeover extends PluginResource {
  constructor(name: string, args: TakeoverArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Takeover"), name, { ...args }, options);
  }
}

const addressUnknown = { known: false, isDown: true, reason: "its address is not known yet" } as const;

/**
 * Calls a function of the plugin that queries a server. Returns undefined if a preview does not know an argument yet,
 * because Pulumi then returns nothing.
 */
async function askPlugin<Answer extends { known: boolean }>(
  name: Parameters<typeof functionToken>[0],
  args: pulumi.Inputs,
  options: pulumi.InvokeOptions | undefined,
): Promise<Answer | undefined> {
  const answer: Partial<Answer> = await pulumi.runtime.invoke(functionToken(name), args, withPlugin(options));
  return answer.known === undefined ? undefined : (answer as Answer);
}

/** Reason why a server could not be queried. `isDown`: it does not answer or does not exist yet, else it refuses. */
export interface NotQueried {
  known: false;
  isDown: boolean;
  reason: string;
}

/** The extensions that a server can create. `known: false` means that it could not be queried. */
export type AvailableExtensions = { known: true; extensions: string[] } | NotQueried;

/** Queries a server for the extensions that it can create. It is a plain call, as {@link existingObjects} is. */
export async function availableExtensions(
  args: ConnectionArgs,
  options?: pulumi.InvokeOptions,
): Promise<AvailableExtensions> {
  return (await askPlugin<AvailableExtensions>("availableExtensions", { ...args }, options)) ?? addressUnknown;
}

export interface MissingRightsArgs extends ConnectionArgs {
  /** Roles and databases of the stack, as JSON. */
  declared: string;
}

/** Rights that a server's admin lacks. `known: false` means that the server could not be queried. */
export type MissingRights = { known: true; isSuperuser: boolean; message?: string; leftOut: string[] } | NotQueried;

/** Compares the rights of a server's admin with those that a stack needs. A plain call like {@link existingObjects}. */
export async function missingRights(args: MissingRightsArgs, options?: pulumi.InvokeOptions): Promise<MissingRights> {
  return (await askPlugin<MissingRights>("missingRights", { ...args }, options)) ?? addressUnknown;
}

export interface ExistingObjectsArgs extends ConnectionArgs {
  roles: readonly string[];
  databases: readonly string[];
}

/** Those of the given roles and databases that a server has. `known: false` means that it could not be queried. */
export type ExistingObjects =
  | {
      known: true;
      roles: string[];
      databases: string[];
      undeclared: string[];
      extensions?: string[];
      /** Faults of the server that `up` does not repair, each with what to do. */
      warnings?: string[];
      /** Message about a missing synchronous standby that every commit would wait for. */
      endlessCommits?: string;
      /** True if the login may change the privileges on the database `postgres`. */
      ownsPostgres: boolean;
      /** True if PUBLIC can connect to it. */
      publicConnects: boolean;
      /** Other roles that can connect to it only because PUBLIC can. */
      connectingByPublic?: string[];
    }
  | { known: false; isDown: boolean; reason: string | undefined };

/**
 * Queries a server for the roles and databases that it has.
 *
 * It is a plain call and does not return an output, since the answer decides resource options, which cannot be outputs.
 * If a preview does not know an argument yet, Pulumi returns nothing for such a call.
 */
export async function existingObjects(
  args: ExistingObjectsArgs,
  options?: pulumi.InvokeOptions,
): Promise<ExistingObjects> {
  const inputs = { ...args, roles: [...args.roles], databases: [...args.databases] };
  const answer = await askPlugin<ExistingObjects>("existingObjects", inputs, options);
  return answer ?? { known: false, isDown: false, reason: undefined };
}
