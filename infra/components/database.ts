import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseFile } from "../../scripts/database/database-file.ts";
import { type DatabaseRole, roleName } from "../plan/names.ts";
import { type DefaultPrivilegePlan, everyone, type PrivilegePlan, planPrivileges, schema } from "../plan/privileges.ts";
import { Migrations, Partitions, type PrivilegesByRole, Seeds, Takeover } from "../provider/sdk.ts";
import type { Existing } from "./existing.ts";
import { declareLogin, declareRole } from "./login-role.ts";
import type { Login, Server } from "./server.ts";
import { type Declared, noticeVanished } from "./vanished.ts";

export interface DatabaseArgs {
  server: Server;
  /** The server's own roles, which are let into the database. */
  serverRoles: pulumi.Resource[];
  /** What the server has already. */
  existing: Existing;
  /** What `database.json` says, extensions narrowed to those that the server can have. */
  file: DatabaseFile;
  /** The database's folder, relative to the project's. */
  folder: string;
  /** Seed sets of this stack, in the order in which they build on each other. */
  seeds: readonly string[];
  passwordKeeper: string;
  protect: boolean;
}

/**
 * One database on a server: its roles, itself, its extensions, who may do what in it, and then what its folder holds: migrations, the coming
 * months' partitions, seeds.
 */
export class Database extends pulumi.ComponentResource {
  /** Logins by what they are for; the owner has none. */
  readonly logins: Record<Exclude<DatabaseRole, "owner">, Login>;
  /** Applied migrations, oldest first. */
  readonly migrations: pulumi.Output<string[]>;
  /** Seed sets in the order in which they are applied, and the files of each that are. */
  readonly seeds: { set: string; applied: pulumi.Output<string[]> }[];
  /** The point up to which declared things have an order: each of them waits for the one before. */
  #last: pulumi.Resource[];

  constructor(name: string, args: DatabaseArgs, options?: pulumi.ComponentResourceOptions) {
    super("pgroundwork:components:Database", name, {}, options);
    const plan = planPrivileges(name);
    this.#last = args.serverRoles;

    const { roles, logins } = this.#declareRoles(name, plan, args);
    this.logins = logins;
    const database = this.#declareDatabase(name, roles, args);
    this.#declareExtensions(name, database, args);
    this.#declarePrivileges(name, database, plan, args);
    this.#declareTakeover(name, database, plan, args);

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
    const migrations = new Migrations(`${name}-migrations`, { ...connection, ...files }, this.#inOrder());
    this.#after(migrations);
    if (args.file.partitions !== undefined) {
      const partitions = { function: args.file.partitions.function, monthsAhead: args.file.partitions.monthsAhead };
      this.#after(new Partitions(`${name}-partitions`, { ...connection, ...partitions }, this.#inOrder()));
    }
    this.migrations = migrations.applied;
    this.seeds = args.seeds.map((set) => {
      const seeds = new Seeds(`${name}-seeds-${set}`, { ...connection, folder: args.folder, set }, this.#inOrder());
      this.#after(seeds);
      return { set, applied: seeds.applied };
    });
    this.registerOutputs({ migrations: this.migrations, seeds: this.seeds });
  }

  #declareRoles(name: string, plan: PrivilegePlan, args: DatabaseArgs) {
    const options = this.#onServer(args);
    const owner = declareRole(`${name}-owner`, plan.roles.owner, args.existing, options);
    const login = (role: Exclude<DatabaseRole, "owner">) =>
      declareLogin(`${name}-${role}`, plan.roles[role], args.existing, args.passwordKeeper, {
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

  /** Its name, known to what uses it once it and its roles are there in truth. */
  #declareDatabase(name: string, roles: Declared[], args: DatabaseArgs): pulumi.Output<string> {
    const database = new postgresql.Database(
      `${name}-database`,
      { name, owner: roleName(name, "owner") },
      { ...this.#kept(args), ...(args.existing.databases.has(name) ? { import: name } : {}) },
    );
    this.#after(database);
    const declared: Declared[] = [...roles, { kind: "databases", name, resource: database }];
    const there = noticeVanished(args.server, args.existing, declared);
    return pulumi.all([database.name, there]).apply(([known]) => known);
  }

  #declareExtensions(name: string, database: pulumi.Output<string>, args: DatabaseArgs): void {
    for (const extension of args.file.extensions) {
      const { name: extensionName, schema: extensionSchema } = extension;
      this.#after(
        new postgresql.Extension(
          `${name}-extension-${extensionName}`,
          {
            name: extensionName,
            database,
            ...(extensionSchema === undefined ? {} : { schema: extensionSchema }),
          },
          this.#kept(args),
        ),
      );
    }
  }

  /** One after the other: PostgreSQL answers parallel grants on one database with "tuple concurrently updated". */
  #declarePrivileges(name: string, database: pulumi.Output<string>, plan: PrivilegePlan, args: DatabaseArgs): void {
    for (const { role, on, privileges } of plan.grants) {
      const place = on === "schema" ? { objectType: on, schema } : { objectType: on };
      const grant = { role, database, privileges, ...place };
      this.#after(new postgresql.Grant(`${name}-grant-${on}-${role}`, grant, this.#kept(args)));
    }
    for (const { role, on, privileges, everywhere } of plan.defaults) {
      const place = everywhere ? {} : { schema };
      const owner = roleName(name, "owner");
      const defaults = { role, database, owner, objectType: on, privileges, ...place };
      // Of PUBLIC's there are two of a kind.
      const which = role === everyone && !everywhere ? `${role}-in-schema` : role;
      this.#after(new postgresql.DefaultPrivileges(`${name}-default-${on}-${which}`, defaults, this.#kept(args)));
    }
  }

  /** Default privileges hold for what is made later: what others made before is opened once, by the superuser. */
  #declareTakeover(name: string, database: pulumi.Output<string>, plan: PrivilegePlan, args: DatabaseArgs): void {
    const { host, port, sslmode, caCertificate, admin } = args.server;
    const connection = { host, port, sslmode, caCertificate, database, ...admin };
    const on = (kind: DefaultPrivilegePlan["on"]): PrivilegesByRole =>
      Object.fromEntries(
        plan.defaults
          .filter((each) => each.on === kind && each.privileges.length > 0)
          .map(({ role, privileges }) => [role, privileges.join(", ")]),
      );
    const privileges = { tables: on("table"), sequences: on("sequence"), functions: on("function") };
    const migrating = { owner: roleName(name, "owner"), members: [roleName(name, "migrator")], schema };
    const takeover = { ...connection, ...migrating, ...privileges };
    this.#after(new Takeover(`${name}-takeover`, takeover, this.#inOrder()));
  }

  #after(resource: pulumi.Resource): void {
    this.#last = [resource];
  }

  #inOrder() {
    return { parent: this, dependsOn: this.#last };
  }

  /**
   * Options of what stays on the server when it is declared no more. Data outlives declarations: a database taken out of the settings keeps its rows, and its
   * applications their access, and comes back with the setting.
   */
  #kept(args: DatabaseArgs) {
    return { ...this.#onServer(args), retainOnDelete: true };
  }

  /** Options of what the postgresql provider makes: with the server it goes, and it is not deleted piece by piece first. */
  #onServer(args: DatabaseArgs) {
    return {
      ...this.#inOrder(),
      provider: args.server.provider,
      protect: args.protect,
      deletedWith: args.server.process,
    };
  }
}
