import * as pulumi from "@pulumi/pulumi";
import { resourceToken } from "./token.ts";

/*
 * The program's side of the kit's own provider plugin: what a program writes to declare its resources. Nothing of the plugin itself is
 * loaded by it.
 */

/** The way into one database that a resource uses. */
export interface ConnectionArgs {
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  database: pulumi.Input<string>;
  user: pulumi.Input<string>;
  password: pulumi.Input<string>;
  /** Default: `disable`, for a server on this machine. */
  sslmode?: pulumi.Input<string>;
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
  declare readonly serverVersion: pulumi.Output<string>;

  constructor(name: string, args: ReadyArgs, options?: pulumi.CustomResourceOptions) {
    super(resourceToken("Ready"), name, { serverVersion: undefined, ...args }, options);
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
