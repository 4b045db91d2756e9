import { withClient } from "../connection/client.ts";
import type { Connection } from "../connection/connection.ts";
import { ConnectionError } from "../connection/connection-error.ts";
import { OperationError } from "../core/operation-error.ts";
import { poll } from "../core/poll.ts";
import { lastLines } from "./log.ts";

const pollIntervalMs = 100;

/** Failures that may pass while waiting. A wrong password or a missing database does not. */
const passing = new Set(["unreachable", "starting", "full"]);

/** Facts about a server that is ready. */
export interface Readiness {
  /** Version in the server's own format: `17.10`. */
  serverVersion: string;
}

/**
 * Waits until the target database answers SQL over TCP and is not in recovery. An open port, or `pg_isready`, does not
 * prove that.
 *
 * @param deadlineSeconds total time limit
 * @param logDirectory folder of the server's log, for the error; undefined if it is not on this machine
 * @throws OperationError with the server's last log lines
 */
export async function waitUntilReady(
  connection: Connection,
  deadlineSeconds: number,
  logDirectory: string | undefined,
  signal?: AbortSignal,
): Promise<Readiness> {
  let failure = new Error("not tried yet");
  const untilAnswered = async () => {
    const answer = await attempt(connection);
    if (!(answer instanceof Error)) return answer;
    failure = answer;
    const hopeless = answer instanceof ConnectionError && !passing.has(answer.failure);
    if (hopeless) throw notReady(answer, deadlineSeconds, true, await logOf(logDirectory));
    return undefined;
  };
  return poll(untilAnswered, {
    intervalMs: pollIntervalMs,
    timeoutMs: deadlineSeconds * 1_000,
    signal,
    timedOut: async () => notReady(failure, deadlineSeconds, false, await logOf(logDirectory)),
  });
}

async function attempt(connection: Connection): Promise<Readiness | Error> {
  try {
    return await withClient(connection, async (client) => {
      const { rows } = await client.query<{ recovering: boolean; version: string }>(
        "SELECT pg_is_in_recovery() AS recovering, current_setting('server_version') AS version",
      );
      const row = rows[0];
      if (row === undefined || row.recovering) return new Error("it is still in recovery");
      return { serverVersion: row.version };
    });
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function logOf(logDirectory: string | undefined): Promise<string> {
  if (logDirectory === undefined) return "";
  const lines = await lastLines(logDirectory, 12).catch((error: Error) => [
    `(the log could not be read: ${error.message})`,
  ]);
  return lines.length === 0 ? "" : `\nThe end of the server's log:\n${lines.join("\n")}`;
}

function notReady(failure: Error, deadlineSeconds: number, hopeless: boolean, log: string): OperationError {
  const waited = hopeless ? "The server is not ready" : `The server was not ready within ${deadlineSeconds} s`;
  const hint = failure instanceof OperationError ? failure.hint : undefined;
  return new OperationError(`${waited}: ${failure.message}${log}`, {
    cause: failure,
    ...(hint === undefined ? {} : { hint }),
  });
}
