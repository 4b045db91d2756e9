import { z } from "zod";
import { databaseNamePattern, databaseNameRule, reservedName } from "../model/database-name.ts";
import { dockerShape, embeddedShape, externalShape } from "./server-shapes.ts";
import { documented, flag, integer, list } from "./setting.ts";

const databaseName = z
  .string()
  .regex(databaseNamePattern, {
    error: (issue) => `'${issue.input}' cannot be a database's name: ${databaseNameRule}`,
  })
  .refine((name) => reservedName(name) === undefined, {
    error: (issue) => `'${issue.input}' ${reservedName(String(issue.input))}`,
  });

/** Settings of every stack, for any kind of server. */
export const commonShape = {
  databases: documented(
    list(databaseName).refine((names) => names.length > 0, "must list at least one database"),
    {
      type: "a list of database names",
      default: "those in Pulumi.yaml",
      effect: "databases created",
      description:
        "Databases of the stack. Each is a folder in migrations/. A database that is removed from the list stays " +
        "on the server, with its data and its roles. If it is added again, its roles get new passwords.",
    },
  ),
  seeds: documented(list(z.string()), {
    type: "a list of seed sets",
    default: "[reference, dev]",
    effect: "seeds applied",
    description: "Seed sets to apply. Each is a folder in migrations/<database>/seeds/ of at least one database.",
  }),
  protected: documented(flag().optional(), {
    type: "true or false",
    default: "true for stacks named staging or production, otherwise false",
    effect: "none",
    description:
      "Marks a stack with real data, which refuses the seed sets dev and demo, and PostgreSQL settings that give up " +
      "durability.",
  }),
  airgap: documented(flag().optional(), {
    type: "true or false",
    default: "false for protected stacks and those named staging or production, otherwise true",
    effect: "none",
    description: "Allows the fallback providers if the official provider plugins cannot be downloaded.",
  }),
  passwordVersion: documented(z.string().min(1).default("1"), {
    type: "a string or number",
    default: "1",
    effect: "new passwords",
    description:
      "Change it to generate new passwords for all roles that log in. The old passwords stop working. Sessions " +
      "stay open, and nothing restarts.",
  }),
  // The limit that GitLab recommends for its database. Such a session holds its locks, and old rows stay because of it.
  idleInTransactionTimeout: documented(integer(0, 86_400).default(60), {
    type: "a whole number from 0 to 86400",
    default: "60",
    effect: "none",
    description:
      "Time in seconds after which the server ends a session of `<db>_app` or `<db>_readonly` that is idle in a " +
      "transaction. 0 sets no limit. It applies to new sessions, and a session can set another value for itself.",
  }),
  readyTimeout: documented(integer(1, 3600).default(60), {
    type: "a whole number from 1 to 3600",
    default: "60",
    effect: "none",
    description: "Time in seconds that `up` waits for the server to answer SQL.",
  }),
};

/** Kinds of server, each with its own settings. */
export const serverShapes = { embedded: embeddedShape, docker: dockerShape, external: externalShape };

/** Kind of a server, the value of the setting `server`. */
export type ServerKind = keyof typeof serverShapes;

export const serverKinds = Object.keys(serverShapes) as [ServerKind, ...ServerKind[]];

export const serverShape = {
  server: documented(z.enum(serverKinds).default("embedded"), {
    type: `one of ${serverKinds.join(", ")}`,
    default: "embedded",
    effect: "none",
    description:
      "Where PostgreSQL runs. `embedded` is a server on this machine, without Docker. `docker` is a server in a " +
      "container. `external` is a server that others run.",
  }),
};

type Values<Shape extends z.core.$ZodLooseShape> = z.output<z.ZodObject<Shape>>;

/** Common settings with those of one kind of server. `server` distinguishes the kinds. */
export type SettingsOf<Kind extends ServerKind> = { server: Kind } & Values<typeof commonShape> &
  Values<(typeof serverShapes)[Kind]>;
