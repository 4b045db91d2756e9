import { z } from "zod";
import { databaseNamePattern, databaseNameRule, reservedName } from "../../scripts/database/database-name.ts";
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

/** The kinds of server that exist, each with its own settings. */
export const serverShapes = { embedded: embeddedShape, docker: dockerShape, external: externalShape };

export type ServerKind = keyof typeof serverShapes;

export const serverKinds = Object.keys(serverShapes) as [ServerKind, ...ServerKind[]];

export const serverShape = {
  server: documented(z.enum(serverKinds).default("embedded"), {
    type: `one of the kinds that exist (${serverKinds.join(", ")})`,
    default: "embedded",
    effect: "none",
    description:
      "What runs PostgreSQL: `embedded` is a server on this machine, without Docker; `docker` one in a container, `external` one that somebody else runs.",
  }),
};

type Values<Shape extends z.core.$ZodLooseShape> = z.output<z.ZodObject<Shape>>;

/** Common settings with those of one kind of server; `server` tells the kinds apart. */
export type SettingsOf<Kind extends ServerKind> = { server: Kind } & Values<typeof commonShape> &
  Values<(typeof serverShapes)[Kind]>;
