import type { ResourceName } from "../token.ts";
import { connection, connectionRequired, flag, type ResourceSpec, text, textByName, texts, whole } from "./property.ts";

const folder = text("The database's folder, relative to the project's.");

/** What is in a database. */
export const databases = {
  Migrations: {
    description: "The committed migrations of a database's folder are applied. Preview names the pending ones.",
    inputs: {
      ...connection,
      folder,
      lint: flag("Pending files that are unsafe on a database in use are refused. Default: false."),
    },
    required: [...connectionRequired, "folder"],
    outputs: { applied: texts("All applied files, oldest first.") },
  },
  Partitions: {
    description: "The coming months' partitions are there, made by the database's own function.",
    inputs: {
      ...connection,
      function: text("Schema and name of a function (months_ahead integer, dry_run boolean) returns setof text."),
      monthsAhead: whole("How many months ahead of this one."),
    },
    required: [...connectionRequired, "function", "monthsAhead"],
    outputs: {},
  },
  Seeds: {
    description:
      "A seed set of a database's folder is applied, each file once per content. Preview names the pending ones.",
    inputs: { ...connection, folder, set: text("The set: a folder's name below seeds.") },
    required: [...connectionRequired, "folder", "set"],
    outputs: { applied: texts("All applied files, in order.") },
  },
  Takeover: {
    description:
      "A database that others have worked in is opened to the stack's roles and closed to PUBLIC, once. Where the kit has worked before it does nothing.",
    inputs: {
      ...connection,
      owner: text("The role that migrations act as."),
      members: texts("Roles that may have its rights."),
      schema: text("The schema that migrations make their objects in."),
      tables: textByName('Privileges on tables and views by role: {shop_app: "SELECT, INSERT"}.'),
      sequences: textByName("Privileges on sequences by role."),
      functions: textByName("Privileges on functions by role."),
    },
    required: [...connectionRequired, "owner", "members", "schema", "tables", "sequences", "functions"],
    outputs: {},
  },
} satisfies Partial<Record<ResourceName, ResourceSpec>>;
