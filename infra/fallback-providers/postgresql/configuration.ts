import { readFile } from "node:fs/promises";
import type { ClientConfig } from "pg";
import {
  type Connection,
  clientConfig,
  inDatabase,
  type SslMode,
  sslModes,
} from "../../../scripts/connection/connection.ts";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";

/**
 * Keys of the official provider's configuration. Authentication by AWS, Azure or GCP identity is left out on purpose: a
 * machine that reaches those also reaches the official plugin. `expectedVersion`, `maxConnections` and
 * `databaseUsername` are accepted without effect: the server itself is queried for its version and user, and each
 * database has at most one connection.
 */
export const configurationKeys = [
  "host",
  "port",
  "username",
  "password",
  "database",
  "databaseUsername",
  "superuser",
  "expectedVersion",
  "sslmode",
  "sslMode",
  "connectTimeout",
  "maxConnections",
  "clientcert",
  "sslrootcert",
  "scheme",
] as const;

/**
 * Returns the values that the official plugin's CheckConfig adds. Without them a provider would show as changed when
 * the plugins are exchanged.
 */
export function configurationDefaults(environment: NodeJS.ProcessEnv = process.env): Properties {
  const { PGCONNECT_TIMEOUT, PGSSLMODE } = environment;
  return { connectTimeout: PGCONNECT_TIMEOUT ?? "180", ...(PGSSLMODE === undefined ? {} : { sslmode: PGSSLMODE }) };
}

/** A provider's configuration, parsed. */
export interface Access {
  connection: Connection;
  /** True if data that only a superuser may read (stored passwords) can be queried. */
  superuser: boolean;
  /** Returns the configuration of `new pg.Client()` for one database. */
  client(database: string): Promise<ClientConfig>;
}

/**
 * Parses a provider's configuration. All values arrive as strings. Unset values fall back as in the official plugin:
 * PG* variables, then PostgreSQL's defaults.
 */
export function accessOf(config: Properties, environment: NodeJS.ProcessEnv = process.env): Access {
  const given = (key: string): string | undefined => {
    const value = config[key];
    return value === undefined || value === null || value === "" ? undefined : String(value);
  };
  const scheme = given("scheme") ?? "postgres";
  if (scheme !== "postgres") {
    throw new OperationError(`The postgresql fallback provider does not support the scheme "${scheme}".`, {
      hint: 'Remove scheme, or use the official plugin: it logs in to AWS and GCP with "awspostgres" and "gcppostgres".',
    });
  }
  const sslrootcert = given("sslrootcert");
  const sslmode = sslMode(given("sslmode") ?? given("sslMode") ?? environment.PGSSLMODE ?? "require");
  const connection: Connection = {
    host: given("host") ?? environment.PGHOST ?? "localhost",
    port: Number(given("port") ?? environment.PGPORT ?? 5432),
    database: given("database") ?? environment.PGDATABASE ?? "postgres",
    user: given("username") ?? environment.PGUSER ?? "postgres",
    password: given("password") ?? environment.PGPASSWORD,
    // As in libpq: if a CA certificate is given, it is verified even in "require".
    sslmode: sslmode === "require" && sslrootcert !== undefined ? "verify-ca" : sslmode,
    sslrootcert,
  };
  const connectSeconds = Number(given("connectTimeout") ?? 180);
  return {
    connection,
    superuser: given("superuser") !== "false",
    client: async (database) => {
      const settings = clientConfig(inDatabase(connection, database));
      const certificate = await clientCertificate(given("clientcert"));
      return {
        ...settings,
        ...(settings.ssl ? { ssl: { ...(settings.ssl === true ? {} : settings.ssl), ...certificate } } : {}),
        connectionTimeoutMillis: connectSeconds * 1000,
      };
    },
  };
}

function sslMode(value: string): SslMode {
  const mode = sslModes.find((known) => known === value);
  if (mode !== undefined) return mode;
  throw new OperationError(`The postgresql provider's sslmode "${value}" is not one of ${sslModes.join(", ")}.`, {
    hint: 'Set sslmode: "verify-full" for a remote server, "disable" for one on this machine without TLS.',
  });
}

/**
 * Parses the client certificate. The official configuration nests it as one object: cert and key as files, or inline
 * with `sslinline`.
 */
async function clientCertificate(given: string | undefined): Promise<{ cert?: string; key?: string }> {
  if (given === undefined) return {};
  const { cert, key, sslinline } = parseClientcert(given);
  return sslinline ? { cert, key } : { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
}

function parseClientcert(value: string): { cert: string; key: string; sslinline: boolean } {
  const faulty = () =>
    new OperationError("The postgresql provider's clientcert is not an object with cert and key.", {
      hint: "Give { cert, key } as file names, or as PEM text with sslinline: true.",
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    throw faulty();
  }
  const { cert, key, sslinline } = (parsed ?? {}) as Properties;
  if (typeof cert !== "string" || typeof key !== "string") throw faulty();
  return { cert, key, sslinline: sslinline === true || sslinline === "true" };
}
