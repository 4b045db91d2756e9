import { closeBusy } from "./cancel.ts";
import { AbortedCommitError, OutcomeUnknownError } from "./errors.ts";
import { isConflict, isLost, isReadOnlyError } from "./failures.ts";
import type { PoolCore } from "./pool-core.ts";
import type { ServerClient } from "./server-client.ts";

/** A failed attempt of a transaction: the error for the caller, and if the attempt may be repeated. */
export class FailedAttempt extends Error {
  readonly repeatable: boolean;

  constructor(cause: unknown, repeatable: boolean) {
    super("The attempt failed.", { cause });
    this.repeatable = repeatable;
  }
}

/** Rolls back if the session still exists, and decides if the attempt may be repeated. */
export async function failureOf(
  core: PoolCore,
  client: ServerClient,
  error: unknown,
  readOnly: boolean,
): Promise<FailedAttempt> {
  if (error instanceof AbortedCommitError) return new FailedAttempt(error, true);
  if (error instanceof OutcomeUnknownError) return new FailedAttempt(error, false);
  // The function may throw an error of its own after the one of a statement, so the connection counts, too.
  const lost = isLost(client, error);
  if (lost) return new FailedAttempt(error, true);
  const demoted = !readOnly && isReadOnlyError(error) && ["read-write", "primary"].includes(core.servers.target);
  if (demoted && client.server !== undefined) core.servers.lostRole(client.server);
  if (client.getTransactionStatus() !== "I") await rollBack(core, client);
  return new FailedAttempt(error, isConflict(error) || demoted);
}

/** Rolls back. If the server does not answer, the session ends with its connection. */
export async function rollBack(core: PoolCore, client: ServerClient): Promise<void> {
  // A statement that was not awaited can keep the session busy.
  const timer = setTimeout(() => void closeBusy(client), core.settings.hostTimeoutMs);
  try {
    await client.query("rollback");
  } catch {
    client.destroy();
  } finally {
    clearTimeout(timer);
  }
}
