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
  if (error instanceof Error && /does not support SSL|SASL|password must be a/i.test(error.message)) return true;
  const code = codeOf(error);
  return (
    /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code) && !code.startsWith("08") && !temporaryAtLogin.includes(code)
  );
}

/** SQLSTATEs with which a server ends a session: terminated, crashed, shut down, timeouts of sessions. */
const endOfSession = ["57P01", "57P02", "57P03", "57P05", "25P03", "25P04"];

/** Returns true if the error means that the connection is gone. */
export function isLost(client: ServerClient, error: unknown): boolean {
  if (client.lost !== undefined) return true;
  const code = codeOf(error);
  if (endOfSession.includes(code) || code.startsWith("08")) return true;
  return error instanceof Error && /Connection terminated|is not queryable/.test(error.message);
}

/** Returns true if the server rolled the transaction back and repeating it can succeed. */
export function isConflict(error: unknown): boolean {
  return ["40001", "40P01"].includes(codeOf(error));
}

/** Returns true if the statement was refused because the server or the session is read-only. */
export function isReadOnlyError(error: unknown): boolean {
  return codeOf(error) === "25006";
}
