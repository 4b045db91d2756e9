import pg from "pg";
import type { PoolSettings } from "./settings.ts";

/** Formats in which values are read, whatever a server, database or role has set. */
const formats: Readonly<Record<string, string>> = {
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  bytea_output: "hex",
  extra_float_digits: "1",
};

/** Returns the session settings of the pool's clients. */
export function sessionSettings(settings: PoolSettings, serverVersion: number): Record<string, string> {
  return {
    ...formats,
    TimeZone: settings.timeZone,
    statement_timeout: String(settings.queryTimeoutMs),
    lock_timeout: String(settings.lockTimeoutMs),
    idle_in_transaction_session_timeout: String(settings.idleInTransactionTimeoutMs),
    ...(serverVersion >= 170_000 && { transaction_timeout: String(settings.transactionTimeoutMs) }),
  };
}

/** Returns the statements that set session settings. They run after the login, as poolers refuse options. */
export function setupStatements(settings: Readonly<Record<string, string>>): string {
  return setStatements("set", settings);
}

/**
 * Returns a transaction's first statements, which set the session settings for it alone. Behind a pooler, settings of
 * the session would reach other clients.
 *
 * @param begin the BEGIN with its options
 */
export function openingStatements(begin: string, settings: PoolSettings, serverVersion: number): string {
  return `${begin}; ${setStatements("set local", sessionSettings(settings, serverVersion))}`;
}

function setStatements(command: "set" | "set local", settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${command} ${name} to ${pg.escapeLiteral(value)}`)
    .join("; ");
}

/**
 * Statements that remove what a user of a client can leave in its session: settings, roles, locks, subscriptions,
 * cursors and temporary tables. `DISCARD ALL` would also remove the prepared statements that the client keeps.
 */
export const resetStatements = [
  "close all",
  "unlisten *",
  "select pg_catalog.pg_advisory_unlock_all()",
  "discard temp",
  "discard sequences",
  "reset session authorization",
  "reset role",
  "reset all",
].join("; ");

/** Converts `server_version` to the form of `server_version_num`: `17.2` to 170002. */
export function versionNumber(text: string | undefined): number {
  const [, major = "0", minor = "0"] = /^(\d+)(?:\.(\d+))?/.exec(text ?? "") ?? [];
  return Number(major) * 10_000 + Number(minor);
}
