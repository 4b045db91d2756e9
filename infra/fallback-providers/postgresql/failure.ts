import { type Connection, describeConnection } from "../../../scripts/connection/connection.ts";
import { lostConnectionError } from "../../../scripts/connection/connection-error.ts";
import { OperationError } from "../../../scripts/core/operation-error.ts";

/** SQLSTATEs have five capitals and digits. Node's own error codes do not. */
const sqlState = /^[0-9A-Z]{5}$/;

/**
 * Explains why a statement failed, with the server's message and hint. Errors that are not the server's are returned
 * unchanged.
 */
export function statementFailure(error: unknown, connection: Connection): unknown {
  const lost = lostConnectionError(connection, error);
  if (lost !== undefined) return lost;
  const { code, detail, hint } = (error ?? {}) as { code?: unknown; detail?: string; hint?: string };
  if (!(error instanceof Error) || typeof code !== "string" || !sqlState.test(code)) return error;
  const text = [detail, hint].filter((line) => line !== undefined).join("\n  ");
  return new OperationError(`${describeConnection(connection)} refused: ${error.message} (SQLSTATE ${code}).`, {
    ...(text === "" ? {} : { hint: text }),
    cause: error,
  });
}
