import { describeConnection } from "../connection/connection.ts";
import { connectionError } from "../connection/connection-error.ts";
import { OperationError } from "../core/operation-error.ts";
import type { CallSite } from "./call-site.ts";
import { type Checkout, type Checkouts, describeCheckout } from "./checkouts.ts";
import { codeOf, PoolStarvationError, PoolTimeoutError } from "./errors.ts";
import { isFatalAtLogin } from "./failures.ts";
import type { ServerList } from "./servers/servers.ts";
import { connectionTo } from "./servers/target.ts";
import type { PoolSettings } from "./settings.ts";

/** Parts of a pool that explain why no client could be obtained. */
interface Situation {
  settings: PoolSettings;
  servers: ServerList;
  checkouts: Checkouts;
}

/**
 * Creates the error of a request that would wait for ever, because each client is held by a request that waits.
 *
 * @param own check-outs of the request
 * @param site code that asks
 */
export function starvationError(
  { settings: { max }, checkouts }: Situation,
  own: readonly Checkout[],
  site: CallSite | undefined,
): PoolStarvationError {
  const asking =
    site === undefined ? "" : ` (asked for by ${describeCheckout({ ...own[0], site } as Checkout).takenAt})`;
  return new PoolStarvationError(
    [
      `All ${max} clients of the pool are held by requests that wait for another one${asking}:`,
      ...checkouts.describe().map((each) => `- ${each}`),
    ].join("\n"),
    { hint: "Use the client that the request already holds, or raise `max` above the number of such requests." },
  );
}

/**
 * Creates the error of a request that obtained no client in time: no server can be reached, or all clients are held.
 *
 * @param lastError error of the request's last attempt to connect
 */
export function timeoutError({ settings, servers, checkouts }: Situation, lastError: unknown): PoolTimeoutError {
  const { connectionTimeoutMs, target, max } = settings;
  const failing = servers.servers.some(({ failures }) => failures > 0);
  const [first = { host: "", port: 0 }] = target.hosts;
  const to = describeConnection(connectionTo(first, target, true));
  if (failing || lastError !== undefined)
    return new PoolTimeoutError(`Cannot connect to ${to} within ${connectionTimeoutMs} ms: ${servers.describe()}.`, {
      hint: "Start the server, or correct host and port. The pool tries again with each request.",
      cause: lastError,
    });
  return new PoolTimeoutError(
    [
      `No client of the pool was free within ${connectionTimeoutMs} ms (${max} of ${max} in use):`,
      ...checkouts.describe().map((each) => `- ${each}`),
    ].join("\n"),
    { hint: "Return clients earlier, shorten the statements, or raise `max`." },
  );
}

/** Converts an error of the driver at login to one that names the server. Others are returned as they are. */
export function loginError({ settings, servers }: Situation, error: unknown): unknown {
  if (error instanceof OperationError || (codeOf(error) === "" && !isFatalAtLogin(error))) return error;
  const [server = { host: "", port: 0 }] = servers.servers.filter(({ lastError: last }) => last === error);
  return connectionError(connectionTo(server, settings.target, true), error);
}
