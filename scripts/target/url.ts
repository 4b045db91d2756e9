import { exitCode, OperationError } from "../errors/operation-error.ts";
import type { Connection } from "./connection.ts";
import { type ConnectionParts, connectionFromParts, type ParsedConnection, type PartNames } from "./parts.ts";

/** Parameters that change nothing about where a connection leads; the kit sets its own or does without. */
const ignoredParameters = new Set([
  "application_name",
  "fallback_application_name",
  "connect_timeout",
  "channel_binding",
]);

const readParameters = ["host", "port", "dbname", "user", "password", "sslmode", "sslrootcert"];

/** What an URL may leave to the environment, as libpq does. */
export interface UrlFallback {
  password?: string | undefined;
  sslmode?: string | undefined;
  sslrootcert?: string | undefined;
}

/** Reads a `postgresql://` URL as libpq does; `label` is what messages call it. The password is in no fault. */
export function parseConnectionUrl(text: string, label: string, fallback: UrlFallback = {}): ParsedConnection {
  if (!/^postgres(ql)?:\/\//.test(text)) return { faults: [`${label} does not begin with postgresql://`] };
  const url = parseUrl(text);
  if (url === undefined) {
    return {
      faults: [`${label} is not a valid URL (characters such as @ : / # % in a password must be percent-encoded)`],
    };
  }
  const parts: ConnectionParts = {
    host: url.host || parameter(url, "host"),
    port: url.port || parameter(url, "port"),
    database: url.database || parameter(url, "dbname"),
    user: url.user || parameter(url, "user"),
    password: url.password || parameter(url, "password") || fallback.password,
    sslmode: parameter(url, "sslmode") ?? fallback.sslmode,
    sslrootcert: parameter(url, "sslrootcert") ?? fallback.sslrootcert,
  };
  const unknown = [...new Set(url.parameters.keys())]
    .filter((name) => !readParameters.includes(name) && !ignoredParameters.has(name))
    .map((name) => `${label} has the parameter "${name}", which the kit does not support`);
  const parsed = connectionFromParts(parts, partNames(label));
  return unknown.length === 0 ? parsed : { faults: [...(parsed.faults ?? []), ...unknown] };
}

/**
 * The connection for `--url`. A password in it is refused: arguments can be read by everyone on the machine and stay in
 * the shell's history. It comes from `PGPASSWORD` or `~/.pgpass` instead.
 * @throws OperationError (wrong usage) with every fault.
 */
export function fromUrl(url: string, env: NodeJS.ProcessEnv = {}): Connection {
  const parts = parseUrl(url);
  if (parts !== undefined && (parts.password !== "" || parts.parameters.has("password"))) {
    throw new OperationError(
      "--url has a password in it, and arguments are public: any user of the machine can read them.",
      {
        remedy: "Leave the password out of --url and put it in PGPASSWORD, or give the whole URL as DATABASE_URL.",
        exitCode: exitCode.usage,
      },
    );
  }
  const parsed = parseConnectionUrl(url, "--url", {
    password: env.PGPASSWORD || undefined,
    sslmode: env.PGSSLMODE || undefined,
    sslrootcert: env.PGSSLROOTCERT || undefined,
  });
  if (parsed.connection !== undefined) return parsed.connection;
  throw targetFaults("--url", parsed.faults, "Write it as postgresql://user@host:5432/database.");
}

/** All faults of one source in one error. */
export function targetFaults(source: string, faults: readonly string[], remedy: string): OperationError {
  return new OperationError(
    [`${source} does not say which database to use:`, ...faults.map((fault) => `- ${fault}`)].join("\n"),
    {
      remedy,
      exitCode: exitCode.usage,
    },
  );
}

function partNames(label: string): PartNames {
  return {
    host: `the host in ${label}`,
    port: `the port in ${label}`,
    database: `the database in ${label}`,
    user: `the user in ${label}`,
    password: `the password in ${label}`,
    sslmode: `sslmode in ${label}`,
    sslrootcert: `sslrootcert in ${label}`,
  };
}

interface UrlParts {
  host: string;
  port: string;
  database: string;
  user: string;
  password: string;
  parameters: URLSearchParams;
}

/**
 * WHATWG's parser refuses what libpq allows (no host but a user, several hosts, a port that is no number), and its message
 * would hold the URL, password and all. Undefined when the text is no URL or not decodable.
 */
function parseUrl(text: string): UrlParts | undefined {
  const match =
    /^postgres(?:ql)?:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?(\[[^\]]*\]|[^/?#:@]*)(?::([^/?#@]*))?(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(
      text,
    );
  if (match === null) return undefined;
  // An @ with no user before it belongs to a password with a / ? or # in it, and that password must not be read as a port or a name.
  if (match[1] === undefined && text.includes("@")) return undefined;
  const [, user = "", password = "", host = "", port = "", database = "", query = ""] = match;
  try {
    return {
      host: decodeURIComponent(host.replace(/^\[(.*)\]$/, "$1")),
      port,
      database: decodeURIComponent(database),
      user: decodeURIComponent(user),
      password: decodeURIComponent(password),
      // As libpq, to which a plus sign is one, and no space as in a form.
      parameters: new URLSearchParams(query.replaceAll("+", "%2B")),
    };
  } catch {
    // A stray % is the only thing that decodeURIComponent throws for.
    return undefined;
  }
}

function parameter(url: UrlParts, name: string): string | undefined {
  return url.parameters.get(name) || undefined;
}
