import {
  connection,
  connectionRequired,
  flag,
  type ResourceDefinition,
  secret,
  text,
  textByName,
  texts,
  whole,
} from "./property.ts";

const folder = text("Folder of the database, relative to the project directory.");

/** Resources in a database. */
export const databases = {
  AdminMembership: {
    load: async () => (await import("../resources/databases/admin-membership.ts")).adminMembership,
    description:
      "Memberships of the login in roles that it administers, with INHERIT and SET. A superuser needs none. Preview lists the missing ones.",
    inputs: { ...connection, roles: texts("Roles that the login is a member of.") },
    required: [...connectionRequired, "roles"],
    outputs: {},
  },
  ExtensionPrivileges: {
    load: async () => (await import("../resources/databases/extension-privileges.ts")).extensionPrivileges,
    description: "Privileges of a database's roles on its extensions. Preview lists the missing ones.",
    inputs: {
      ...connection,
      extensions: textByName('Declared schema of each extension: {vector: "extensions", pg_cron: ""}.'),
    },
    required: [...connectionRequired, "extensions"],
    outputs: {},
  },
  Jobs: {
    load: async () => (await import("../resources/databases/jobs.ts")).jobs,
    description: "Jobs of a database that pg_cron runs. Preview lists those to add, change and remove.",
    inputs: {
      ...connection,
      runIn: text("Database in which the jobs run. The connection's database has pg_cron."),
      runAs: text("Role as which the jobs run."),
      jobs: textByName('Jobs by name, as JSON: {"tidy": "{\\"schedule\\": \\"0 3 * * *\\", \\"command\\": \\"…\\"}"}.'),
    },
    required: [...connectionRequired, "runIn", "runAs", "jobs"],
    outputs: {},
  },
  Migrations: {
    load: async () => (await import("../resources/databases/migrations.ts")).migrations,
    description: "The applied migrations of a database's folder. Preview lists the pending ones.",
    inputs: {
      ...connection,
      folder,
      lint: flag("If true, pending files that are unsafe on a database in use are refused. Default: false."),
      adminUser: text("Role that runs hooks marked root."),
      adminPassword: secret("Password of that role."),
    },
    required: [...connectionRequired, "folder"],
    outputs: { applied: texts("All applied files, oldest first.") },
  },
  MonitoringSchema: {
    load: async () => (await import("../resources/databases/monitoring-schema.ts")).monitoringSchema,
    description:
      "The schema in which the monitoring role reads pg_stat_statements and the records of migrations. Preview lists what is missing.",
    inputs: {
      ...connection,
      monitor: text("Role that reads the schema."),
      owner: text("Role that owns the records of migrations. Absent for a database without migrations."),
    },
    required: [...connectionRequired, "monitor"],
    outputs: {},
  },
  Partitions: {
    load: async () => (await import("../resources/databases/partitions.ts")).partitions,
    description: "Partitions for the coming months, created by the database's own function.",
    inputs: {
      ...connection,
      function: text("Schema and name of a function (months_ahead integer, dry_run boolean) returns setof text."),
      monthsAhead: whole("Number of months after the current one."),
    },
    required: [...connectionRequired, "function", "monthsAhead"],
    outputs: {},
  },
  PoolerAccess: {
    load: async () => (await import("../resources/databases/pooler-access.ts")).poolerAccess,
    description:
      "The function with which the pooler's role looks up the logins of applications. Preview lists what is missing.",
    inputs: { ...connection, role: text("Role of the pooler.") },
    required: [...connectionRequired, "role"],
    outputs: {},
  },
  Seeds: {
    load: async () => (await import("../resources/databases/seeds.ts")).seeds,
    description:
      "The applied seed set of a database's folder. A file runs again if its content changes. Preview lists the pending files.",
    inputs: { ...connection, folder, set: text("Name of the set: a folder in seeds.") },
    required: [...connectionRequired, "folder", "set"],
    outputs: { applied: texts("All applied files, in order.") },
  },
  Adoption: {
    load: async () => (await import("../resources/databases/adoption.ts")).adoption,
    formerNames: ["Takeover"],
    description:
      "Adopts a database with existing objects, once: grants privileges to the stack's roles and revokes them from PUBLIC. If the kit has worked in the database before, it does nothing.",
    inputs: {
      ...connection,
      owner: text("The role that migrations act as."),
      members: texts("Roles that may be members of the owner role."),
      schema: text("The schema in which migrations create objects."),
      tables: textByName('Privileges on tables and views by role: {shop_app: "SELECT, INSERT"}.'),
      sequences: textByName("Privileges on sequences by role."),
      functions: textByName("Privileges on functions by role."),
    },
    required: [...connectionRequired, "owner", "members", "schema", "tables", "sequences", "functions"],
    outputs: {},
  },
} satisfies Record<string, ResourceDefinition>;
