import { exitCode, OperationError } from "../core/operation-error.ts";
import type { Connection } from "./connection.ts";
import { type ConnectionParts, connectionFromParts, type ParsedConnection, type PartNames } from "./parts.ts";

/** Parameters that do not change the target of a connection. The kit sets its own or does not need them. */
const ignoredParameters = new Set([
  "application_name",
  "fallback_application_name",
  "connect_timeout",
  "channel_binding",
]);

const readParameters = ["host", "port", "dbname", "user", "password", "sslmode", "sslrootcert"];

/** Parameters that the environment provides if the URL does not, as in libpq. */
export interface UrlFallback {
  password?: string | undefined;
  sslmode?: string | undefined;
  sslrootcert?: string | undefined;
}

/** Parses a `postgresql://` URL as libpq does. `label` is its name in messages, which never contain the password. */
export function parseConnectionUrl(text: string, label: string, fallback: UrlFallback = {}): ParsedConnection {
  if (!/^postgres(ql)?:\/\//.test(text)) return { faults: [`${label} does not start with postgresql://`] };
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
    .map((name) => `${label} has the parameter "${name}", which pgroundwork does not support`);
  const parsed = connectionFromParts(parts, partNames(label));
  return unknown.length === 0 ? parsed : { faults: [...(parsed.faults ?? []), ...unknown] };
}

/**
 * Returns the connection for `--url`. Refuses a password in it, because every user of the machine can read arguments,
 * and the shell's history keeps them. The password comes from `PGPASSWORD` or `~/.pgpass` instead.
 *
 * @throws OperationError (wrong usage) with all problems
 */
export function fromUrl(url: string, env: NodeJS.ProcessEnv = {}): Connection {
  const parts = parseUrl(url);
  if (parts !== undefined && (parts.password !== "" || parts.parameters.has("password"))) {
    throw new OperationError(
      "--url contains a password, but arguments are public: any user of the machine can read them.",
      {
        hint: "Remove the password from --url and set it in PGPASSWORD, or set the complete URL in DATABASE_URL.",
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

/** Returns one error with all problems of a source. */
export function targetFaults(source: string, faults: readonly string[], hint: string): OperationError {
  return new OperationError(
    [`${source} does not say which database to use:`, ...faults.map((fault) => `- ${fault}`)].join("\n"),
    {
      hint,
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
 * Splits a URL. WHATWG's parser refuses URLs that libpq allows (no host but a user, several hosts, a port that is not a
 * number), and its message would contain the URL with the password. Undefined if the text is not a URL or cannot be
 * decoded.
 */
function parseUrl(text: string): UrlParts | undefined {
  const match =
    /^postgres(?:ql)?:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?(\[[^\]]*\]|[^/?#:@]*)(?::([^/?#@]*))?(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(
      text,
    );
  if (match === null) return undefined;
  // An @ without a user before it belongs to a password that contains / ? or #. Such a password must not be read as a
  // port or a name.
  if (match[1] === undefined && text.includes("@")) return undefined;
  const [, user = "", password = "", host = "", port = "", database = "", query = ""] = match;
  try {
    return {
      host: decodeURIComponent(host.replace(/^\[(.*)\]$/, "$1")),
      port,
      database: decodeURIComponent(database),
      user: decodeURIComponent(user),
      password: decodeURIComponent(password),
      // libpq reads a plus sign literally, not as a space as in an HTML form.
      parameters: new URLSearchParams(query.replaceAll("+", "%2B")),
    };
  } catch {
    // decodeURIComponent throws only for a stray %.
    return undefined;
  }
}

function parameter(url: UrlParts, name: string): string | undefined {
  return url.parameters.get(name) || undefined;
}
