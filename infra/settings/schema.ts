import { isAbsolute } from "node:path";
import { z } from "zod";
import { databaseNamePattern, databaseNameRule, reservedName } from "../../scripts/database/database-name.ts";
import { postgresqlSection } from "./postgresql-section.ts";
import { documented, flag, integer, list } from "./setting.ts";

const databaseName = z
  .string()
  .regex(databaseNamePattern, {
    error: (issue) => `'${issue.input}' cannot be a database's name: ${databaseNameRule}`,
  })
  .refine((name) => reservedName(name) === undefined, {
    error: (issue) => `'${issue.input}' ${reservedName(String(issue.input))}`,
  });

/** Settings of every stack, whatever its server is. */
export const commonShape = {
  databases: documented(
    list(databaseName).refine((names) => names.length > 0, "names no database"),
    {
      type: "a list of database names",
      default: "those in Pulumi.yaml",
      effect: "databases made",
      description:
        "The databases of the stack, each a folder in migrations/. One that is taken out of the list stays on the server, with its data and its roles; put back, its roles get new passwords.",
    },
  ),
  seeds: documented(list(z.string()), {
    type: "a list of seed sets",
    default: "[reference, dev]",
    effect: "seeds applied",
    description: "The seed sets to apply, each a folder in migrations/<database>/seeds/ of at least one database.",
  }),
  protected: documented(flag().optional(), {
    type: "true or false",
    default: "true for stacks named staging or production, else false",
    effect: "none",
    description: "The stack holds real data: the seed sets dev and demo are refused.",
  }),
  airgap: documented(flag().optional(), {
    type: "true or false",
    default: "refused by the stacks staging and production",
    effect: "none",
    description: "Whether stand-ins for provider plugins may be used where the official ones cannot be downloaded.",
  }),
  passwordVersion: documented(z.string().min(1).default("1"), {
    type: "a text or number",
    default: "1",
    effect: "new passwords",
    description:
      "Any other value makes new passwords for every role that logs in; the old ones stop working. Sessions stay, and nothing restarts.",
  }),
  readyTimeout: documented(integer(1, 3600).default(60), {
    type: "a whole number from 1 to 3600",
    default: "60",
    effect: "none",
    description: "How long `up` waits until the server answers real SQL, in seconds.",
  }),
};

/** Settings of the embedded server. */
export const embeddedShape = {
  port: documented(integer(1, 65_535).optional(), {
    type: "a whole number from 1 to 65535",
    default: "a free port, chosen once and kept",
    effect: "restart",
    description: "TCP port on 127.0.0.1. The server keeps the last one where the setting is taken out again.",
  }),
  dataDirectory: documented(
    z
      .string()
      .refine((path) => isAbsolute(path))
      .optional(),
    {
      type: "an absolute path",
      default: "a folder below the user's data folder",
      effect: "refused until the data is moved",
      description:
        "Where the server keeps its data. A server that exists takes another folder once its data lies there: `down`, move it, `up`.",
    },
  ),
  memory: documented(integer(256, Number.MAX_SAFE_INTEGER).optional(), {
    type: "a whole number of at least 256 (MB)",
    default: "what the machine has",
    effect: "restart",
    description: "Memory that the server's settings are planned for, in MB.",
  }),
  profile: documented(z.enum(["web", "oltp", "dw", "desktop", "mixed"]).default("desktop"), {
    type: "web, oltp, dw, desktop or mixed",
    default: "desktop",
    effect: "restart",
    description:
      "What the server is mostly asked to do: many short requests (web), transactions (oltp), a warehouse's large reads (dw), one developer (desktop), or several of these (mixed).",
  }),
  storage: documented(z.enum(["ssd", "hdd", "san", "nvme"]).default("ssd"), {
    type: "ssd, hdd, san or nvme",
    default: "ssd",
    effect: "reload",
    description: "What the data directory lies on: what the planner takes a random read to cost.",
  }),
  maxConnections: documented(integer(10, 10_000).default(100), {
    type: "a whole number from 10 to 10000",
    default: "100",
    effect: "restart",
    description: "How many sessions the server accepts; the memory of each is planned with it.",
  }),
  postgresql: documented(postgresqlSection().optional(), {
    type: "an object of PostgreSQL settings, each a text, number or true/false",
    default: "none",
    effect: "reload or restart",
    description:
      "Further settings of postgresql.conf by name; they win over the planned ones. A restart where PostgreSQL asks for one (`context` postmaster in pg_settings).",
  }),
};

/** The kinds of server that exist, each with its own settings. */
export const serverShapes = { embedded: embeddedShape };

export type ServerKind = keyof typeof serverShapes;

export const serverKinds = Object.keys(serverShapes) as [ServerKind, ...ServerKind[]];

export const serverShape = {
  server: documented(z.enum(serverKinds).default("embedded"), {
    type: `one of the kinds that exist (${serverKinds.join(", ")})`,
    default: "embedded",
    effect: "none",
    description: "What runs PostgreSQL: `embedded` is a server on this machine, without Docker.",
  }),
};

type Values<Shape extends z.core.$ZodLooseShape> = z.output<z.ZodObject<Shape>>;

/** Common settings with those of one kind of server; `server` tells the kinds apart. */
export type SettingsOf<Kind extends ServerKind> = { server: Kind } & Values<typeof commonShape> &
  Values<(typeof serverShapes)[Kind]>;
