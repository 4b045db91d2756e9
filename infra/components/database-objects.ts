import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseFile } from "../../scripts/databases/database-file.ts";
import { hasOwnSchema, planExtensionPrivileges } from "../../scripts/model/extension-privileges.ts";
import { type DatabaseRole, roleName } from "../../scripts/model/names.ts";
import {
  type DefaultPrivilegePlan,
  everyone,
  type PrivilegePlan,
  planPrivileges,
  schema,
  serverRolePlans,
} from "../../scripts/model/privileges.ts";
import {
  AdminMembership,
  Adoption,
  ExtensionPrivileges,
  formerTypesOf,
  Migrations,
  MonitoringSchema,
  Partitions,
  type PrivilegesByRole,
  Seeds,
} from "../provider/sdk/databases.ts";
import type { Existing } from "./checks/existing-objects.ts";
import { warnOfMoved } from "./checks/moved-extensions.ts";
import { type Declared, warnOfVanished } from "./checks/vanished-objects.ts";
import { declareJobs } from "./jobs.ts";
import { declareLogin, declareRole } from "./login-role.ts";
import { adminConnection, type Login, type Server } from "./server.ts";

export interface DatabaseArgs {
  /** Name of the database. Default: the component's name, which the names of the resources begin with. */
  name?: string;
  server: Server;
  /** The server's own roles, which get access to the database. */
  serverRoles: pulumi.Resource[];
  /** Objects that the server already has. */
  existing: Existing;
  /** Contents of `database.json`, with the extensions narrowed to those that the server can have. */
  file: DatabaseFile;
  /** The database's folder, relative to the project directory. */
  folder: string;
  /** Seed sets of this stack, in the order in which they build on each other. */
  seeds: readonly string[];
  /** Limit of the application's roles for a session that is idle in a transaction. 0: none. */
  idleInTransactionSeconds: number;
  passwordVersion: string;
  protect: boolean;
  /** pg_cron in the database `postgres`, if this database has jobs. */
  cron?: pulumi.Resource | undefined;
}

/** The objects of one database, declared as children of its component. */
export class DatabaseObjects {
  /** Logins by database role. The owner has none. */
  readonly logins: Record<Exclude<DatabaseRole, "owner">, Login>;
  /** Applied migrations, oldest first. */
  readonly migrations: pulumi.Output<string[]>;
  /** Seed sets in the order in which they are applied, with the applied files of each. */
  readonly seeds: { set: string; applied: pulumi.Output<string[]> }[];
  readonly #parent: pulumi.Resource;
  readonly #prefix: string;
  /** Last resources of the ordered declarations: each declared resource waits for the one before it. */
  #last: pulumi.Resource[];

  constructor(parent: pulumi.Resource, prefix: string, args: DatabaseArgs) {
    this.#parent = parent;
    this.#prefix = prefix;
    const { name = prefix } = args;
    const plan = planPrivileges(name, args.idleInTransactionSeconds);
    this.#last = args.serverRoles;

    const { roles, logins } = this.#declareRoles(name, plan, args);
    this.logins = logins;
    if (args.server.limitedAdmin === true) this.#declareMembership(name, args);
    const database = this.#declareDatabase(name, roles, args);
    this.#declareExtensions(name, database, args);
    this.#declarePrivileges(name, database, plan, args);
    this.#declareExtensionPrivileges(name, database, args);
    this.#declareAdoption(name, database, plan, args);
    this.#declareMonitoring(name, database, args);

    const connection = {
      host: args.server.host,
      port: args.server.port,
      sslmode: args.server.sslmode,
      caCertificate: args.server.caCertificate,
      database,
      user: this.logins.migrator.user,
      password: this.logins.migrator.password,
    };
    const files = { folder: args.folder, ...(args.protect ? { lint: true } : {}) };
    const admin = { adminUser: args.server.admin.user, adminPassword: args.server.admin.password };
    const migrations = new Migrations(
      `${this.#prefix}-migrations`,
      { ...connection, ...files, ...admin },
      this.#inOrder(),
    );
    this.#after(migrations);
    if (args.file.partitions !== undefined) {
      const partitions = { function: args.file.partitions.function, monthsAhead: args.file.partitions.monthsAhead };
      this.#after(new Partitions(`${this.#prefix}-partitions`, { ...connection, ...partitions }, this.#inOrder()));
    }
    this.migrations = migrations.applied;
    this.seeds = args.seeds.map((set) => {
      const seeds = new Seeds(
        `${this.#prefix}-seeds-${set}`,
        { ...connection, folder: args.folder, set },
        this.#inOrder(),
      );
      this.#after(seeds);
      return { set, applied: seeds.applied };
    });
    const { jobs = [] } = args.file;
    if (args.cron !== undefined && jobs.length > 0)
      declareJobs(`${prefix}-jobs`, name, args.server, jobs, {
        parent: this.#parent,
        dependsOn: [...this.#last, args.cron],
      });
  }

  #declareRoles(name: string, plan: PrivilegePlan, args: DatabaseArgs) {
    const options = this.#onServer(args);
    const owner = declareRole(`${this.#prefix}-owner`, plan.roles.owner, args.existing, options);
    const login = (role: Exclude<DatabaseRole, "owner">) =>
      declareLogin(`${this.#prefix}-${role}`, plan.roles[role], args.existing, args.passwordVersion, {
        ...options,
        dependsOn: [owner],
      });
    const [migrator, app, readonly] = [login("migrator"), login("app"), login("readonly")];
    this.#last = [...this.#last, owner, migrator.role, app.role, readonly.role];
    const made: [DatabaseRole, postgresql.Role][] = [
      ["owner", owner],
      ["migrator", migrator.role],
      ["app", app.role],
      ["readonly", readonly.role],
    ];
    return {
      logins: { migrator: migrator.login, app: app.login, readonly: readonly.login },
      roles: made.map(([role, resource]): Declared => ({ kind: "roles", name: roleName(name, role), resource })),
    };
  }

  /** Makes an admin that is not a superuser a member of the owner, so that it can create and change its objects. */
  #declareMembership(name: string, { server }: DatabaseArgs): void {
    const membership = { ...adminConnection(server, "postgres"), roles: [roleName(name, "owner")] };
    this.#after(new AdminMembership(`${this.#prefix}-admin-membership`, membership, this.#inOrder()));
  }

  /** Declares the database. Dependents get its name only after the database and its roles exist. */
  #declareDatabase(name: string, roles: Declared[], args: DatabaseArgs): pulumi.Output<string> {
    const database = new postgresql.Database(
      `${this.#prefix}-database`,
      { name, owner: roleName(name, "owner") },
      { ...this.#kept(args), ...(args.existing.databases.has(name) ? { import: name } : {}) },
    );
    this.#after(database);
    const declared: Declared[] = [...roles, { kind: "databases", name, resource: database }];
    const there = warnOfVanished(args.server, args.existing, declared);
    return pulumi.all([database.name, there]).apply(([known]) => known);
  }

  #declareExtensions(name: string, database: pulumi.Output<string>, args: DatabaseArgs): void {
    const declared = args.file.extensions.flatMap(({ schema: own }) => own ?? []);
    for (const own of new Set(declared.filter(hasOwnSchema)))
      this.#after(new postgresql.Schema(`${this.#prefix}-schema-${own}`, { name: own, database }, this.#kept(args)));
    for (const extension of args.file.extensions) {
      const { name: extensionName, schema: extensionSchema } = extension;
      const resource = new postgresql.Extension(
        `${this.#prefix}-extension-${extensionName}`,
        {
          name: extensionName,
          database,
          ...(extensionSchema === undefined ? {} : { schema: extensionSchema }),
        },
        this.#kept(args),
      );
      this.#after(resource);
      const declared = { database: name, name: extensionName, schema: extensionSchema, resource };
      warnOfMoved(args.server, args.existing, declared);
    }
  }

  /**
   * Declares privileges one after the other: PostgreSQL answers parallel grants on one database with "tuple
   * concurrently updated".
   */
  #declarePrivileges(name: string, database: pulumi.Output<string>, plan: PrivilegePlan, args: DatabaseArgs): void {
    for (const { role, on, privileges } of plan.grants) {
      const place = on === "schema" ? { objectType: on, schema } : { objectType: on };
      const grant = { role, database, privileges, ...place };
      this.#after(new postgresql.Grant(`${this.#prefix}-grant-${on}-${role}`, grant, this.#kept(args)));
    }
    for (const { role, on, privileges, everywhere } of plan.defaults) {
      const place = everywhere ? {} : { schema };
      const owner = roleName(name, "owner");
      const defaults = { role, database, owner, objectType: on, privileges, ...place };
      // PUBLIC has two entries of each kind.
      const which = role === everyone && !everywhere ? `${role}-in-schema` : role;
      this.#after(
        new postgresql.DefaultPrivileges(`${this.#prefix}-default-${on}-${which}`, defaults, this.#kept(args)),
      );
    }
  }

  /** Grants what the extensions' own scripts leave to their owner, the superuser. */
  #declareExtensionPrivileges(name: string, database: pulumi.Output<string>, args: DatabaseArgs): void {
    const planned = new Set(planExtensionPrivileges(name, args.file.extensions).map(({ extension }) => extension));
    if (planned.size === 0) return;
    const extensions = Object.fromEntries(
      args.file.extensions.filter((each) => planned.has(each.name)).map((each) => [each.name, each.schema ?? ""]),
    );
    const privileges = { ...adminConnection(args.server, database), extensions };
    this.#after(new ExtensionPrivileges(`${this.#prefix}-extension-privileges`, privileges, this.#inOrder()));
  }

  /**
   * Adopts existing objects once, as the superuser. Default privileges apply only to objects that are created later.
   */
  #declareAdoption(name: string, database: pulumi.Output<string>, plan: PrivilegePlan, args: DatabaseArgs): void {
    const on = (kind: DefaultPrivilegePlan["on"]): PrivilegesByRole =>
      Object.fromEntries(
        plan.defaults
          .filter((each) => each.on === kind && each.privileges.length > 0)
          .map(({ role, privileges }) => [role, privileges.join(", ")]),
      );
    const privileges = { tables: on("table"), sequences: on("sequence"), functions: on("function") };
    const migrating = { owner: roleName(name, "owner"), members: this.#ownerMembers(name, args.server), schema };
    const adoption = { ...adminConnection(args.server, database), ...migrating, ...privileges };
    const aliases = formerTypesOf("Adoption").map((type) => ({ name: `${this.#prefix}-takeover`, type }));
    this.#after(new Adoption(`${this.#prefix}-adoption`, adoption, { ...this.#inOrder(), aliases }));
  }

  /** Lets the monitoring role read pg_stat_statements and the records of migrations. */
  #declareMonitoring(name: string, database: pulumi.Output<string>, { server }: DatabaseArgs): void {
    const roles = { monitor: serverRolePlans.monitor.name, owner: roleName(name, "owner") };
    const monitoring = { ...adminConnection(server, database), ...roles };
    this.#after(new MonitoringSchema(`${this.#prefix}-monitoring`, monitoring, this.#inOrder()));
  }

  #ownerMembers(name: string, { limitedAdmin, admin }: Server): string[] {
    return [roleName(name, "migrator"), ...(limitedAdmin === true ? [admin.user] : [])];
  }

  #after(resource: pulumi.Resource): void {
    this.#last = [resource];
  }

  #inOrder() {
    return { parent: this.#parent, dependsOn: this.#last };
  }

  /**
   * Options of resources that stay on the server after their declaration is removed. A database taken out of the
   * settings keeps its rows and its access, and returns with the setting.
   */
  #kept(args: DatabaseArgs) {
    return { ...this.#onServer(args), retainOnDelete: true };
  }

  /** Options of the postgresql provider's resources: they go with the server and are not deleted one by one first. */
  #onServer(args: DatabaseArgs) {
    return {
      ...this.#inOrder(),
      provider: args.server.provider,
      protect: args.protect,
      deletedWith: args.server.process,
    };
  }
}
