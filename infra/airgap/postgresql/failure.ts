import { OperationError } from "../../../scripts/errors/operation-error.ts";
import { type Connection, describeConnection } from "../../../scripts/target/connection.ts";
import { lostConnectionError } from "../../../scripts/target/connection-error.ts";

/** SQLSTATEs are five capitals and digits; Node's own error codes are not. */
const sqlState = /^[0-9A-Z]{5}$/;

/** Why a statement failed, in the server's own words and with its hint; what is not the server's is passed on as it is. */
export function statementFailure(error: unknown, connection: Connection): unknown {
  const lost = lostConnectionError(connection, error);
  if (lost !== undefined) return lost;
  const { code, detail, hint } = (error ?? {}) as { code?: unknown; detail?: string; hint?: string };
  if (!(error instanceof Error) || typeof code !== "string" || !sqlState.test(code)) return error;
  const remedy = [detail, hint].filter((line) => line !== undefined).join("\n  ");
  return new OperationError(`${describeConnection(connection)} refused: ${error.message} (SQLSTATE ${code}).`, {
    ...(remedy === "" ? {} : { remedy }),
    cause: error,
  });
}
