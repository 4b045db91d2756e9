import { explainTls } from "../connection/tls-error.ts";
import { OperationError } from "../core/operation-error.ts";
import { codeOf } from "./errors.ts";
import type { ServerClient } from "./server-client.ts";

/** Server errors at login after which another attempt can succeed: starting up, shutting down, no free connection. */
const temporaryAtLogin = ["57P01", "57P02", "57P03", "53300", "25P04", "57P05"];

/**
 * Returns true if another attempt to connect is useless. As in libpq, an answer of the server counts, such as a refused
 * password, and a network error does not.
 */
export function isFatalAtLogin(error: unknown): boolean {
  if (error instanceof OperationError || explainTls("", error) !== undefined) return true;
  if (error instanceof Error && /does not support SSL|SASL|password must be a/.test(error.message)) return true;
  const code = codeOf(error);
  return (
    /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code) && !code.startsWith("08") && !temporaryAtLogin.includes(code)
  );
}

/**
 * Returns true if an error came with the loss of the connection. The code of the error does not say so: functions and
 * foreign servers raise 08xxx, and 08P01 is also the answer to a missing parameter. Behind that, the session goes on.
 */
export async function isLost(client: ServerClient): Promise<boolean> {
  // The error of a statement arrives before the end of the connection, or before the session is ready again.
  if (client.settling) await client.ready();
  return client.lost !== undefined;
}

/** Returns true for the driver's own words for a lost connection, which do not say why it was lost. */
export function isDriversLoss(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === "" && /Connection terminated|is not queryable/.test(error.message);
}

/**
 * Returns true if the server ended the session because a transaction took too long, or was idle for too long. The next
 * attempt would end in the same way.
 */
export function isTransactionTimeout(error: unknown): boolean {
  return ["25P03", "25P04"].includes(codeOf(error));
}

/** Returns true if the server rolled the transaction back and repeating it can succeed. */
export function isConflict(error: unknown): boolean {
  return ["40001", "40P01"].includes(codeOf(error));
}

/** Returns true if the statement was refused because the server or the session is read-only. */
export function isReadOnlyError(error: unknown): boolean {
  return codeOf(error) === "25006";
}
