import { OperationError } from "../core/operation-error.ts";
import { type Connection, describeConnection } from "./connection.ts";
import { explainTls } from "./tls-error.ts";

/** Reason of a failed connection, for callers that must distinguish "server is down" from "access denied". */
export type ConnectionFailure =
  | "unreachable"
  | "starting"
  | "full"
  | "password"
  | "denied"
  | "database-missing"
  | "tls"
  | "lost"
  | "other";

/** Error of a failed connection. The message contains user, host, port and database, never the password. */
export class ConnectionError extends OperationError {
  readonly failure: ConnectionFailure;

  constructor(message: string, failure: ConnectionFailure, hint: string, cause: unknown) {
    super(message, { hint, cause });
    this.failure = failure;
  }
}

/** SQLSTATEs of a session that the server ended: administrator's command, crash, shutdown, idle timeouts. */
const endedByServer = ["57P01", "57P02", "57P03", "57P05", "25P03"];

/** The driver's messages for a lost connection. */
const goneInDriver = /Connection terminated|not queryable|connection error and is not/i;

/** Converts the error of a query to a ConnectionError if the connection was lost; otherwise returns undefined. */
export function lostConnectionError(connection: Connection, error: unknown): ConnectionError | undefined {
  const code = textOf(error, "code");
  const message = textOf(error, "message");
  const lost =
    endedByServer.includes(code) || ["ECONNRESET", "EPIPE", "ETIMEDOUT"].includes(code) || goneInDriver.test(message);
  if (!lost) return undefined;
  return new ConnectionError(
    `The connection to ${describeConnection(connection)} was lost: ${message || code}.`,
    "lost",
    "Check the server's log. Run again when the server answers.",
    error,
  );
}

interface Explanation {
  failure: ConnectionFailure;
  reason: string;
  hint: string;
}

/** Converts an error of the driver, the network or the server to an error for the user. */
export function connectionError(connection: Connection, error: unknown): ConnectionError {
  const { failure, reason, hint } = explain(connection, error);
  return new ConnectionError(`Cannot connect to ${describeConnection(connection)}: ${reason}.`, failure, hint, error);
}

function explain(connection: Connection, error: unknown): Explanation {
  const code = textOf(error, "code");
  const message = textOf(error, "message");
  return (
    byCertificate(connection, error) ??
    byMessage(connection, message) ??
    byCode(connection, code) ??
    unexplained(code, message)
  );
}

function byCertificate({ host }: Connection, error: unknown): Explanation | undefined {
  const explained = explainTls(host, error);
  return explained === undefined ? undefined : { failure: "tls", ...explained };
}

function byCode(connection: Connection, code: string): Explanation | undefined {
  const { host, port, user, database } = connection;
  const startIt = "Start the server (a stack: npm run up), or correct host and port.";
  switch (code) {
    case "ECONNREFUSED":
      return {
        failure: "unreachable",
        reason: `nothing listens on ${host}:${port} (connection refused)`,
        hint: startIt,
      };
    case "ENOENT":
      return { failure: "unreachable", reason: `there is no socket for port ${port} in ${host}`, hint: startIt };
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return {
        failure: "unreachable",
        reason: `the host name "${host}" cannot be resolved (${code})`,
        hint: "Correct the host, or check name resolution.",
      };
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ECONNRESET":
    case "EPIPE":
      return {
        failure: "unreachable",
        reason: `the server does not answer (${code})`,
        hint: "Check host, port, network and firewall.",
      };
    case "57P03":
      return {
        failure: "starting",
        reason: "the server is starting up or shutting down",
        hint: "Try again in a few seconds.",
      };
    case "53300":
      return {
        failure: "full",
        reason: "the server has no free connections",
        hint: "Close idle connections, or raise max_connections.",
      };
    case "28P01":
      return {
        failure: "password",
        reason: `password authentication failed for user "${user}"`,
        hint: "Correct the password or the user. The server gives the same answer if the role does not exist.",
      };
    case "28000":
      return {
        failure: "denied",
        reason: `the server refuses connections of user "${user}" from here`,
        hint: "Check that the role has LOGIN, and check the server's pg_hba.conf. The server may require TLS (sslmode=require).",
      };
    case "3D000":
      return {
        failure: "database-missing",
        reason: `the database "${database}" does not exist`,
        // Until a refresh, the state of a stack that had the database still contains it.
        hint: "Create it (a stack: npm run pgw -- refresh, then npm run up), or correct the name.",
      };
    case "42501":
      return {
        failure: "denied",
        reason: `user "${user}" has no CONNECT privilege on database "${database}"`,
        hint: `Use another role, or: GRANT CONNECT ON DATABASE … TO ….`,
      };
  }
  return undefined;
}

/** Explains errors that the driver throws without a code; messages of pg 8. */
function byMessage(connection: Connection, message: string): Explanation | undefined {
  if (/timeout expired|timeout exceeded/.test(message)) {
    return {
      failure: "unreachable",
      reason: "the server did not answer in time",
      hint: "Check host, port, network and firewall.",
    };
  }
  if (/no pg_hba\.conf entry .*, no encryption$/.test(message)) {
    return {
      failure: "tls",
      reason: `the server refuses connections of user "${connection.user}" from here without TLS`,
      hint: "Use sslmode=verify-full, with the CA of the server's certificate as sslrootcert.",
    };
  }
  if (/does not support SSL/.test(message)) {
    return {
      failure: "tls",
      reason: "the server does not support TLS",
      hint: "If a restore in place was killed, complete it: `npm run pgw -- recover --stack STACK`. Otherwise turn on TLS at the server. sslmode=disable sends everything unencrypted; use it only on this machine.",
    };
  }
  if (/client password must be a/.test(message)) {
    return {
      failure: "password",
      reason: `the server requires a password for user "${connection.user}", but none is set`,
      hint: "Set it in DATABASE_URL, DB_PASSWORD, PGPASSWORD or ~/.pgpass.",
    };
  }
  if (/Connection terminated/.test(message)) {
    return { failure: "unreachable", reason: "the server closed the connection", hint: "Read the server's log." };
  }
  return undefined;
}

function unexplained(code: string, message: string): Explanation {
  const said = [message, code && `(${code})`].filter(Boolean).join(" ");
  return { failure: "other", reason: said || "the driver gave no reason", hint: "Read the server's log." };
}

function textOf(error: unknown, key: "code" | "message"): string {
  if (typeof error !== "object" || error === null || !(key in error)) return "";
  const value: unknown = (error as Record<string, unknown>)[key];
  return typeof value === "string" ? value : "";
}
