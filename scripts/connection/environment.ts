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
 * Returns the connection in the environment: `DATABASE_URL`, else `DB_*`, else `PG*`. Undefined if none is set; then a
 * stack is meant. Empty variables count as unset. A source counts only if it names a host or a database: many shells
 * set just a `PGUSER` or `PGPASSWORD`. A password, sslmode or sslrootcert missing in `DATABASE_URL` is taken from
 * `PG*`, as libpq does. Otherwise sources are not mixed.
 *
 * @throws OperationError (wrong usage) with all problems of the chosen source
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
      "Write it as postgresql://user@host:5432/database, with the password after the user and a colon, or unset it.",
    );
  }
  return fromNames(env, kitNames, "DB_*") ?? fromNames(env, libpqNames, "PG*");
}

/** Source of a connection in the environment. */
export type EnvironmentSource = "DATABASE_URL" | "DB_*" | "PG*";

/** Returns the source that {@link fromEnvironment} reads; undefined if there is none. */
export function environmentSource(env: NodeJS.ProcessEnv): EnvironmentSource | undefined {
  if (env.DATABASE_URL) return "DATABASE_URL";
  if (env.DB_HOST || env.DB_NAME) return "DB_*";
  return env.PGHOST || env.PGDATABASE ? "PG*" : undefined;
}

/** Reads each source of the environment by itself. A source that is invalid or missing is left out. */
export function everyConnection(env: NodeJS.ProcessEnv): { source: EnvironmentSource; connection: Connection }[] {
  const url = env.DATABASE_URL ? parseConnectionUrl(env.DATABASE_URL, "DATABASE_URL").connection : undefined;
  const kit = connectionFromParts(readParts(env, kitNames), kitNames).connection;
  const libpq = connectionFromParts(readParts(env, libpqNames), libpqNames).connection;
  const found: { source: EnvironmentSource; connection: Connection | undefined }[] = [
    { source: "DATABASE_URL", connection: url },
    { source: "DB_*", connection: kit },
    { source: "PG*", connection: libpq },
  ];
  return found.flatMap(({ source, connection }) => (connection === undefined ? [] : [{ source, connection }]));
}

/**
 * Returns the login that can create databases and extensions on the target's server: `ROOT_DATABASE_URL`, as in
 * graphile-migrate. Undefined if it is not set.
 *
 * @throws OperationError (wrong usage) with all problems
 */
export function rootFromEnvironment(env: NodeJS.ProcessEnv): Connection | undefined {
  const url = env.ROOT_DATABASE_URL;
  if (!url) return undefined;
  const parsed = parseConnectionUrl(url, "ROOT_DATABASE_URL");
  if (parsed.connection !== undefined) return parsed.connection;
  throw targetFaults(
    "ROOT_DATABASE_URL",
    parsed.faults,
    "Write it as postgresql://user@host:5432/postgres, with the password after the user and a colon, or unset it.",
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
