import { OperationError } from "../../../scripts/errors/operation-error.ts";
import type { Connection } from "../../../scripts/target/connection.ts";

/** What pg's DatabaseError and Node's socket errors tell beside their message. */
interface ErrorDetails {
  code?: string;
  detail?: string;
  hint?: string;
  errors?: unknown[];
}

/** Why no connection came about, as one error for a person: host, port, reason, remedy. */
export function connectFailure(error: unknown, database: string, { host, port, user }: Connection): OperationError {
  const reason = messageOf(error);
  return new OperationError(
    `PostgreSQL at ${host}:${port} cannot be reached (database "${database}", user "${user}"): ${reason}.`,
    { remedy: connectRemedy(error, reason), cause: error },
  );
}

/** Why a statement failed: the server's own words and SQLSTATE. Anything that is not the server's is passed on as it is. */
export function statementFailure(error: unknown, database: string, connection: Connection): unknown {
  const { code, detail, hint } = (error ?? {}) as ErrorDetails;
  if (error instanceof Error && /connection (terminated|ended)|not queryable/i.test(error.message)) {
    const { host, port } = connection;
    return new OperationError(`PostgreSQL at ${host}:${port} broke off the connection to "${database}".`, {
      remedy: "Look into the server's log, then run the same command again.",
      cause: error,
    });
  }
  if (!(error instanceof Error) || code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return error;
  const remedy = hint ?? detail;
  return new OperationError(`PostgreSQL refused (database "${database}", SQLSTATE ${code}): ${error.message}`, {
    ...(remedy === undefined ? {} : { remedy }),
    cause: error,
  });
}

function connectRemedy(error: unknown, reason: string): string {
  const { code } = (error ?? {}) as ErrorDetails;
  if (code === "28P01" || code === "28000") return "Correct the provider's username and password.";
  if (code === "3D000") return "Make the database first, or correct the provider's database.";
  if (code === "53300" || code === "57P03") return "Wait until the server takes connections, then try again.";
  if (/does not support SSL/i.test(reason)) {
    return 'Turn TLS on at the server, or set the provider\'s sslmode to "disable" for one on this machine.';
  }
  if (/certificate|self.signed|altname/i.test(reason)) {
    return "Give the provider the server's certificate authority (sslrootcert), or another sslmode.";
  }
  return "Start the server, or correct the provider's host and port.";
}

/** A host of several addresses fails with an AggregateError whose own message is empty. */
function messageOf(error: unknown): string {
  const { errors } = (error ?? {}) as ErrorDetails;
  if (errors !== undefined && errors.length > 0) return [...new Set(errors.map(messageOf))].join("; ");
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\.$/, "");
}
