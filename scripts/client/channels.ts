import { channel } from "node:diagnostics_channel";

/**
 * Channels of `node:diagnostics_channel` on which every pool publishes, for tracing and logs. The `context` is that of
 * the request for which it happened, or undefined.
 */
export const channels = {
  /** A client was obtained: `{ pool, waitMs, kind, context }`. */
  checkout: channel("pgroundwork:client:checkout"),
  /** A client was returned: `{ pool, useMs, kind, context }`. */
  returned: channel("pgroundwork:client:return"),
  /** A connection was opened: `{ pool, host, port, createMs, context }`. */
  connect: channel("pgroundwork:client:connect"),
  /** A statement or transaction is repeated: `{ pool, attempt, error, context }`. */
  retry: channel("pgroundwork:client:retry"),
  /** A client is held too long: a `HeldClient` with `{ pool, reclaimed }`. */
  leak: channel("pgroundwork:client:leak"),
  /** A server lost its role: `{ pool, host, port, context }`. */
  demoted: channel("pgroundwork:client:demoted"),
} as const;
