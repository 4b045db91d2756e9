import { closeBusy } from "./cancel.ts";
import { AbortedCommitError, EndedTransactionError, OutcomeUnknownError } from "./errors.ts";
import { isConflict, isDriversLoss, isLost, isReadOnlyError, isTransactionTimeout } from "./failures.ts";
import type { PoolCore } from "./pool-core.ts";
import { wasOutOfDate } from "./prepared.ts";
import type { ServerClient } from "./server-client.ts";
import { askRole, matchesTarget, type SessionRole } from "./servers/role.ts";

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
  if (error instanceof OutcomeUnknownError || error instanceof EndedTransactionError)
    return new FailedAttempt(error, false);
  const aborted = error instanceof AbortedCommitError;
  if (aborted || (await isLost(client))) {
    const { lost } = client;
    const reason = lost !== undefined && (aborted || isDriversLoss(error)) ? lost : error;
    // The next attempt would end in the same way.
    if (isTransactionTimeout(lost)) return new FailedAttempt(reason, false);
    return new FailedAttempt(aborted ? error : reason, true);
  }
  if (client.getTransactionStatus() !== "I") await rollBack(core, client);
  const demoted = !readOnly && (await lostRole(core, client, error));
  return new FailedAttempt(error, isConflict(error) || demoted || wasOutOfDate(error));
}

/**
 * Returns true if the server refused a change because it is no primary any more, and records that. A role or a
 * transaction can be read-only on a primary, too, so the server is asked.
 */
export async function lostRole(core: PoolCore, client: ServerClient, error: unknown): Promise<boolean> {
  const { server } = client;
  const { target } = core.servers;
  if (!isReadOnlyError(error) || !["read-write", "primary"].includes(target)) return false;
  const role = await roleNow(core, client);
  if (role !== undefined && matchesTarget(role, target)) return false;
  if (server !== undefined) core.servers.lostRole(server);
  return true;
}

/** Asks for the role of the session's server. Returns undefined if the connection is lost meanwhile. */
async function roleNow(core: PoolCore, client: ServerClient): Promise<SessionRole | undefined> {
  const timer = setTimeout(() => client.destroy(), core.settings.hostTimeoutMs);
  try {
    return await askRole(client);
  } catch {
    client.destroy();
    return undefined;
  } finally {
    clearTimeout(timer);
  }
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
