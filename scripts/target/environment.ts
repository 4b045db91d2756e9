import type { Connection } from "./connection.ts";
import { type ConnectionParts, connectionFromParts, type PartNames } from "./parts.ts";
import { parseConnectionUrl, targetFaults } from "./url.ts";

const kitNames: PartNames = {
  host: "DB_HOST",
  port: "DB_PORT",
  database: "DB_NAME",
  user: "DB_USER",
  password: "DB_PASSWORD",
  sslmode: "DB_SSLMODE",
  sslrootcert: "DB_SSLROOTCERT",
};

const libpqNames: PartNames = {
  host: "PGHOST",
  port: "PGPORT",
  database: "PGDATABASE",
  user: "PGUSER",
  password: "PGPASSWORD",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
};

/**
 * The database that the environment points at: `DATABASE_URL`, else `DB_*`, else `PG*`; undefined when none does, and then
 * a stack is meant. A source is one only if it says where: a `PGUSER` or `PGPASSWORD` alone, as many shells have, is none. Within `DATABASE_URL`
 * a missing password, sslmode or sslrootcert is taken from PG*, as libpq does; sources are not mixed otherwise. Empty means unset.
 * @throws OperationError (wrong usage) with every fault of the chosen source.
 */
export function fromEnvironment(env: NodeJS.ProcessEnv): Connection | undefined {
  const url = env.DATABASE_URL;
  if (url) {
    const { password, sslmode, sslrootcert } = readParts(env, libpqNames);
    const parsed = parseConnectionUrl(url, "DATABASE_URL", { password, sslmode, sslrootcert });
    if (parsed.connection !== undefined) return parsed.connection;
    throw targetFaults(
      "DATABASE_URL",
      parsed.faults,
      "Write it as postgresql://user@host:5432/database, with the password behind the user and a colon, or unset it.",
    );
  }
  return fromNames(env, kitNames, "DB_*") ?? fromNames(env, libpqNames, "PG*");
}

/**
 * The login that may make databases and extensions on the target's server: `ROOT_DATABASE_URL`, as graphile-migrate calls it; undefined where it is not set.
 * @throws OperationError (wrong usage) with every fault.
 */
export function rootFromEnvironment(env: NodeJS.ProcessEnv): Connection | undefined {
  const url = env.ROOT_DATABASE_URL;
  if (!url) return undefined;
  const parsed = parseConnectionUrl(url, "ROOT_DATABASE_URL");
  if (parsed.connection !== undefined) return parsed.connection;
  throw targetFaults(
    "ROOT_DATABASE_URL",
    parsed.faults,
    "Write it as postgresql://user@host:5432/postgres, with the password behind the user and a colon, or unset it.",
  );
}

function fromNames(env: NodeJS.ProcessEnv, names: PartNames, source: string): Connection | undefined {
  const parts = readParts(env, names);
  if (parts.host === undefined && parts.database === undefined) return undefined;
  const parsed = connectionFromParts(parts, names);
  if (parsed.connection !== undefined) return parsed.connection;
  throw targetFaults(
    `The environment (${source})`,
    parsed.faults,
    `Set ${names.host}, ${names.database} and ${names.user}, or unset ${names.host} and ${names.database} to use a stack.`,
  );
}

function readParts(env: NodeJS.ProcessEnv, names: PartNames): ConnectionParts {
  const read = (part: keyof ConnectionParts) => env[names[part]] || undefined;
  return {
    host: read("host"),
    port: read("port"),
    database: read("database"),
    user: read("user"),
    password: read("password"),
    sslmode: read("sslmode"),
    sslrootcert: read("sslrootcert"),
  };
}
