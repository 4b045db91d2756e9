import type * as pulumi from "@pulumi/pulumi";
import { PluginResource } from "./plugin-resource.ts";

/* Resources for a server and its readiness. */

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
  /** Name of the server, if the stack can have several. Its data directory depends on it. It is kept. */
  server?: string | undefined;
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
    super("EmbeddedServer", name, args, options);
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
    super("Ready", name, args, options);
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
    super("Password", name, args, options);
  }
}
