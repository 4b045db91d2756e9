import type * as pulumi from "@pulumi/pulumi";
import { PluginResource } from "./plugin-resource.ts";

export { formerTokensOf as formerTypesOf } from "../definitions/definitions.ts";

import type { ConnectionArgs } from "./servers.ts";

/* Resources in a database. */

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
    super("Migrations", name, args, options);
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
    super("Seeds", name, args, options);
  }
}

export interface AdminMembershipArgs extends ConnectionArgs {
  /** Roles that the login administers and has to act as. */
  roles: pulumi.Input<string[]>;
}

/** Memberships of a login that is not a superuser in roles that it administers. */
export class AdminMembership extends PluginResource {
  constructor(name: string, args: AdminMembershipArgs, options?: pulumi.CustomResourceOptions) {
    super("AdminMembership", name, args, options);
  }
}

export interface ExtensionPrivilegesArgs extends ConnectionArgs {
  /** Schema of each extension in database.json, by the extension's name. An empty text if it declares none. */
  extensions: pulumi.Input<Record<string, string>>;
}

/** Privileges of a database's roles on its extensions. */
export class ExtensionPrivileges extends PluginResource {
  constructor(name: string, args: ExtensionPrivilegesArgs, options?: pulumi.CustomResourceOptions) {
    super("ExtensionPrivileges", name, args, options);
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
    super("Jobs", name, args, options);
  }
}

export interface MonitoringSchemaArgs extends ConnectionArgs {
  /** Role that reads the schema. */
  monitor: pulumi.Input<string>;
  /** Role that owns the records of migrations. Omit it for a database without migrations. */
  owner?: pulumi.Input<string>;
}

/** The schema in which the monitoring role reads pg_stat_statements and the records of migrations. */
export class MonitoringSchema extends PluginResource {
  constructor(name: string, args: MonitoringSchemaArgs, options?: pulumi.CustomResourceOptions) {
    super("MonitoringSchema", name, args, options);
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
    super("Partitions", name, args, options);
  }
}

export interface PoolerAccessArgs extends ConnectionArgs {
  /** Role of the pooler. */
  role: pulumi.Input<string>;
}

/** The function with which the pooler's role looks up the logins of applications. */
export class PoolerAccess extends PluginResource {
  constructor(name: string, args: PoolerAccessArgs, options?: pulumi.CustomResourceOptions) {
    super("PoolerAccess", name, args, options);
  }
}

/** Privileges by role: `{shop_app: "SELECT, INSERT"}`. */
export type PrivilegesByRole = Record<string, string>;

export interface AdoptionArgs extends ConnectionArgs {
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
export class Adoption extends PluginResource {
  constructor(name: string, args: AdoptionArgs, options?: pulumi.CustomResourceOptions) {
    super("Adoption", name, args, options);
  }
}
