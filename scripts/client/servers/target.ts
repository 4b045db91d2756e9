import { readFileSync } from "node:fs";
import { type Connection, isLocalHost, type SslMode, sslModes } from "../../connection/connection.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { type TargetSessionAttrs, targetSessionAttrs } from "./role.ts";

/** The servers of one database, and the login. */
export interface PoolTarget {
  hosts: { host: string; port: number }[];
  database: string;
  user: string;
  password?: string | undefined;
  /** Any of libpq's modes. Default: `verify-full`, and `disable` if the server is on this machine. */
  sslmode?: string | undefined;
  /** File with the CA certificates to trust (PEM). */
  sslrootcert?: string | undefined;
  /** The CA certificates themselves (PEM). They take precedence over `sslrootcert`. */
  ca?: string | undefined;
  targetSessionAttrs?: TargetSessionAttrs | undefined;
  loadBalanceHosts?: "disable" | "random" | undefined;
  /** Time limit of one attempt to one host, in seconds; libpq's `connect_timeout`. */
  connectTimeoutSeconds?: number | undefined;
  applicationName?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Texts of a target before they are checked. Hosts and ports are lists with commas. */
type Texts = Partial<Record<keyof typeof libpqNames, string | undefined>>;

const libpqNames = {
  host: "PGHOST",
  port: "PGPORT",
  dbname: "PGDATABASE",
  user: "PGUSER",
  password: "PGPASSWORD",
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  target_session_attrs: "PGTARGETSESSIONATTRS",
  load_balance_hosts: "PGLOADBALANCEHOSTS",
  connect_timeout: "PGCONNECT_TIMEOUT",
  application_name: "PGAPPNAME",
} as const;

const kitNames = {
  host: "DB_HOST",
  port: "DB_PORT",
  dbname: "DB_NAME",
  user: "DB_USER",
  password: "DB_PASSWORD",
  sslmode: "DB_SSLMODE",
  sslrootcert: "DB_SSLROOTCERT",
} as const;

/**
 * Returns the servers and the login in the environment: `DATABASE_URL`, else `DB_*`, else `PG*`. As in libpq, a URL is
 * completed from `PG*`, and so are the choices that `DB_*` has no names for.
 *
 * @throws OperationError (wrong usage) with all problems
 */
export function targetFromEnvironment(env: Environment): PoolTarget {
  const libpq = textsFrom(env, libpqNames);
  if (env.DATABASE_URL) return targetFromUrl(env.DATABASE_URL, "DATABASE_URL", env);
  if (env.DB_HOST || env.DB_NAME) {
    const { target_session_attrs, load_balance_hosts, connect_timeout, application_name } = libpq;
    const shared = { target_session_attrs, load_balance_hosts, connect_timeout, application_name };
    return checked({ ...shared, ...textsFrom(env, kitNames) }, "The environment (DB_*)");
  }
  if (env.PGHOST || env.PGDATABASE) return checked(libpq, "The environment (PG*)");
  throw new OperationError("No database is given.", {
    hint: "Set DATABASE_URL, DB_* or PG*, or pass `connection`.",
    exitCode: exitCode.usage,
  });
}

/**
 * Parses a `postgresql://` URL with one or more hosts.
 *
 * @param label name of the URL in messages, which never contain the password
 * @throws OperationError (wrong usage) with all problems
 */
export function targetFromUrl(text: string, label: string, env: Environment = {}): PoolTarget {
  const match = /^postgres(?:ql)?:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(
    text,
  );
  // An @ without a user before it belongs to a password that contains / ? or #.
  if (match === null || (match[1] === undefined && text.split("?", 1)[0]?.includes("@")))
    throw notATarget(label, [
      "it is not a postgresql:// URL (characters such as @ : / # % in a password must be percent-encoded)",
    ]);
  const [, user, password, authority = "", database, query = ""] = match;
  try {
    const parameters = Object.fromEntries(new URLSearchParams(query.replaceAll("+", "%2B")));
    const unknown = Object.keys(parameters).filter((name) => !(name in libpqNames) && !ignored.has(name));
    if (unknown.length > 0)
      throw notATarget(
        label,
        unknown.map((name) => `the parameter "${name}" is not supported`),
      );
    const given = {
      ...authorityTexts(authority),
      dbname: decoded(database),
      user: decoded(user),
      password: decoded(password),
    };
    return checked({ ...textsFrom(env, libpqNames), ...present(parameters), ...present(given) }, label);
  } catch (error) {
    if (error instanceof OperationError) throw error;
    throw notATarget(label, ["it contains a stray % character"]);
  }
}

/** Parameters of libpq that have no effect on the pool. */
const ignored = new Set(["fallback_application_name", "channel_binding", "gssencmode", "sslnegotiation"]);

/** Splits `host1:5432,[::1]:5433,host3` into the lists of hosts and ports. */
function authorityTexts(authority: string): Texts {
  if (authority === "") return {};
  const each = authority.split(",").map((one) => /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(one));
  return {
    host: each.map((found) => decodeURIComponent((found?.[1] ?? "").replace(/^\[(.*)\]$/, "$1"))).join(","),
    port: each.every((found) => !found?.[2]) ? undefined : each.map((found) => found?.[2] ?? "").join(","),
  };
}

function decoded(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : decodeURIComponent(text);
}

function textsFrom(env: Environment, names: Readonly<Record<string, string>>): Texts {
  return present(Object.fromEntries(Object.entries(names).map(([key, name]) => [key, env[name]])));
}

/** Leaves out parts that are absent or empty, so that they do not replace others. */
function present(texts: Texts): Texts {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text));
}

/** Checks all parts, and reports all problems at once. */
function checked(texts: Texts, label: string): PoolTarget {
  const faults: string[] = [];
  const hosts = (texts.host ?? "localhost").split(",");
  const ports = (texts.port ?? "5432").split(",").map((port) => port || "5432");
  if (hosts.some((host) => host === "")) faults.push("a host is empty");
  if (ports.length !== 1 && ports.length !== hosts.length)
    faults.push(`it has ${hosts.length} hosts but ${ports.length} ports`);
  for (const port of ports)
    if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
      faults.push(`the port is "${port}", expected a number from 1 to 65535`);
  if (texts.user === undefined) faults.push("the user is missing");
  const attrs = oneOf(texts.target_session_attrs, targetSessionAttrs, "target_session_attrs", faults);
  const balance = oneOf(texts.load_balance_hosts, ["disable", "random"] as const, "load_balance_hosts", faults);
  oneOf(texts.sslmode, [...sslModes, "allow", "prefer"], "sslmode", faults);
  if (texts.connect_timeout !== undefined && !/^\d+$/.test(texts.connect_timeout))
    faults.push(`connect_timeout is "${texts.connect_timeout}", expected a number of seconds`);
  if (faults.length > 0 || texts.user === undefined) throw notATarget(label, faults);
  return {
    hosts: hosts.map((host, index) => ({ host, port: Number(ports[index] ?? ports[0]) })),
    // libpq's default, too.
    database: texts.dbname ?? texts.user,
    user: texts.user,
    password: texts.password,
    sslmode: texts.sslmode,
    sslrootcert: texts.sslrootcert === "system" ? undefined : texts.sslrootcert,
    targetSessionAttrs: attrs,
    loadBalanceHosts: balance,
    // In libpq, 0 means no limit.
    connectTimeoutSeconds: Number(texts.connect_timeout ?? 0) || undefined,
    applicationName: texts.application_name,
  };
}

function oneOf<T extends string>(
  text: string | undefined,
  values: readonly T[],
  name: string,
  faults: string[],
): T | undefined {
  const found = values.find((value) => value === text);
  if (text !== undefined && found === undefined)
    faults.push(`${name} is "${text}", expected one of ${values.join(", ")}`);
  return found;
}

function notATarget(label: string, faults: readonly string[]): OperationError {
  return new OperationError(
    [`${label} does not say how to connect:`, ...faults.map((each) => `- ${each}`)].join("\n"),
    {
      hint: "Write it as postgresql://user@host1:5432,host2:5432/database?target_session_attrs=read-write.",
      exitCode: exitCode.usage,
    },
  );
}

/**
 * Returns the TLS mode for one host. Modes mean what they mean in libpq: `require` with a CA verifies the certificate.
 * Modes that do not verify it are refused for hosts beyond this machine, unless `allowUnverified` is set.
 *
 * @throws OperationError (wrong usage)
 */
export function sslModeFor(host: string, target: PoolTarget, allowUnverified: boolean): SslMode {
  const { sslmode } = target;
  const hasCa = target.ca !== undefined || target.sslrootcert !== undefined;
  if (sslmode === "verify-full" || sslmode === "verify-ca") return sslmode;
  if (sslmode === "require" && hasCa) return "verify-ca";
  if (isLocalHost(host)) return sslmode === "require" ? "require" : "disable";
  if (sslmode === undefined) return "verify-full";
  if (allowUnverified) return sslmode === "disable" ? "disable" : "require";
  throw new OperationError(`sslmode=${sslmode} does not verify the server ${host}.`, {
    hint: "Use sslmode=verify-full with the CA as sslrootcert, or set `allowUnverifiedServers` for a trusted network.",
    exitCode: exitCode.usage,
  });
}

/** Returns the parameters for one host of the target. */
export function connectionTo(
  { host, port }: { host: string; port: number },
  target: PoolTarget,
  allowUnverified: boolean,
): Connection {
  const { database, user, password, sslrootcert, ca } = target;
  return {
    host,
    port,
    database,
    user,
    password,
    sslmode: sslModeFor(host, target, allowUnverified),
    sslrootcert,
    ca,
  };
}

/**
 * Returns a function that reads the password from a file each time a client connects. A rotated password is used
 * without a restart. A line feed at the end is not part of the password.
 */
export function passwordFromFile(file: string): () => string {
  return () => {
    try {
      return readFileSync(file, "utf8").replace(/\r?\n$/, "");
    } catch (cause) {
      throw new OperationError(`Cannot read the password file "${file}".`, {
        hint: "Correct DB_PASSWORD_FILE or `passwordFile`, or make the file readable.",
        cause,
      });
    }
  };
}
