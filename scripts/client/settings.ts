import { exitCode, OperationError } from "../core/operation-error.ts";
import { longestTimerMs, parseDurationMs } from "./durations.ts";
import type { TargetSessionAttrs } from "./servers/role.ts";
import { type PoolTarget, passwordFromFile, targetFromEnvironment, targetFromUrl } from "./servers/target.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Options of `createPool`. Each one takes precedence over the environment, which takes precedence over the default. */
export interface PoolOptions {
  /** A `postgresql://` URL with one or more hosts, or its parts. Default: read from `env`. */
  connection?: string | PoolTarget;
  /** Default: `process.env`. */
  env?: Environment;
  /** Password, or a function that returns it for each new connection. */
  password?: string | (() => string | Promise<string>);
  /** File that holds the password, read for each new connection. Environment: `DB_PASSWORD_FILE`. */
  passwordFile?: string;
  /** Maximum number of clients. Default: 50 if NODE_ENV is production, else 20. Environment: `DB_MAX_OPEN_CONNS`. */
  max?: number;
  /** Number of idle clients that are kept. Default: 5. Environment: `DB_MAX_IDLE_CONNS`. */
  min?: number;
  /** Time limit to obtain a client. Default: 30,000; 0: no limit. */
  connectionTimeoutMs?: number;
  /** Time limit of one attempt to one host. Default: `connect_timeout`, else 5,000, within the limit above. */
  hostTimeoutMs?: number;
  /** The server ends a statement after this time. Default: 30,000; 0: no limit. */
  queryTimeoutMs?: number;
  /** The server ends the wait for a lock after this time. Default: 10,000; 0: no limit. */
  lockTimeoutMs?: number;
  /** The server ends a session that is idle in a transaction after this time. Default: 60,000; 0: no limit. */
  idleInTransactionTimeoutMs?: number;
  /** The server (17 and later) ends a transaction after this time. Default: 0, no limit. */
  transactionTimeoutMs?: number;
  /** A client above `min` is closed after this time without use. Default: 30,000. */
  idleTimeoutMs?: number;
  /** A client is closed after about this time, spread by 10 %. Default: 30 min. Environment: `DB_CONN_MAX_LIFETIME`. */
  maxLifetimeMs?: number;
  /** A client that was idle longer is tested before it is used. Default: 2,000. */
  checkIdleAfterMs?: number;
  /** Role of the servers to use. Default: that of the URL, else `any`. */
  targetSessionAttrs?: TargetSessionAttrs;
  /** Order in which hosts are tried. Default: that of the URL, else `disable`, the order of the list. */
  loadBalanceHosts?: "disable" | "random";
  /** The role of a server is known at most this long. Default: 2,000. */
  probeIntervalMs?: number;
  /** A standby that answers `replica` reads is at most this far behind. Default: 5,000. */
  maxLagMs?: number;
  /** Accepts servers whose certificate is not verified beyond this machine. Default: false. */
  allowUnverifiedServers?: boolean;
  /** A client that is held longer is reported as a leak. Default: 60,000; 0: never. */
  leakThresholdMs?: number;
  /** Closes a client that leaked, if no statement runs on it. Default: false. */
  reclaimLeaks?: boolean;
  /** Repetitions of statements and transactions that the whole pool makes in a second, on average. Default: 10. */
  retriesPerSecond?: number;
  /** Time limit for repeating a statement or transaction. Default: `connectionTimeoutMs`, or 30,000 if that is 0. */
  retryLimitMs?: number;
  /**
   * Asks the server for the result of a COMMIT whose answer was lost. This costs one round trip for each transaction.
   * Default: true.
   */
  resolveCommits?: boolean;
  /** Number of prepared statements that a client keeps. Default: 100. */
  maxPreparedStatements?: number;
  /**
   * The server's connections go through a pooler in transaction mode. The limits above are set in each transaction, and
   * each single statement gets one. Default: false.
   */
  pooled?: boolean;
  /** Name in `pg_stat_activity`. Default: that of the URL or PGAPPNAME, else `pgroundwork`. */
  applicationName?: string;
  /** Time zone of the sessions. Default: UTC. */
  timeZone?: string;
}

/** All values that a pool works with. */
export interface PoolSettings extends Required<Omit<PoolOptions, "connection" | "env" | "password" | "passwordFile">> {
  target: PoolTarget;
  password: string | (() => string | Promise<string>) | undefined;
}

/**
 * Combines options, environment and defaults.
 *
 * @throws OperationError (wrong usage) with all problems
 */
export function poolSettings(options: PoolOptions): PoolSettings {
  const env = options.env ?? process.env;
  const faults: string[] = [];
  const target = targetOf(options.connection, env);
  const asked = options.connectionTimeoutMs ?? 30_000;
  const connectionTimeoutMs = Math.min(asked === 0 ? longestTimerMs : asked, longestTimerMs);
  const max = options.max ?? countFrom(env, "DB_MAX_OPEN_CONNS", faults) ?? (env.NODE_ENV === "production" ? 50 : 20);
  const min = options.min ?? countFrom(env, "DB_MAX_IDLE_CONNS", faults) ?? Math.min(5, max);
  const perHost = target.connectTimeoutSeconds ? target.connectTimeoutSeconds * 1_000 : 5_000;
  const settings: PoolSettings = {
    target,
    password: passwordOf(options, env, target),
    max,
    min,
    connectionTimeoutMs,
    hostTimeoutMs: options.hostTimeoutMs ?? Math.min(perHost, connectionTimeoutMs / target.hosts.length),
    queryTimeoutMs: options.queryTimeoutMs ?? 30_000,
    lockTimeoutMs: options.lockTimeoutMs ?? 10_000,
    idleInTransactionTimeoutMs: options.idleInTransactionTimeoutMs ?? 60_000,
    transactionTimeoutMs: options.transactionTimeoutMs ?? 0,
    idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
    maxLifetimeMs: options.maxLifetimeMs ?? durationFrom(env, "DB_CONN_MAX_LIFETIME", faults) ?? 30 * 60_000,
    checkIdleAfterMs: options.checkIdleAfterMs ?? 2_000,
    targetSessionAttrs: options.targetSessionAttrs ?? target.targetSessionAttrs ?? "any",
    loadBalanceHosts: options.loadBalanceHosts ?? target.loadBalanceHosts ?? "disable",
    probeIntervalMs: options.probeIntervalMs ?? 2_000,
    maxLagMs: options.maxLagMs ?? 5_000,
    allowUnverifiedServers: options.allowUnverifiedServers ?? false,
    leakThresholdMs: options.leakThresholdMs ?? 60_000,
    reclaimLeaks: options.reclaimLeaks ?? false,
    retriesPerSecond: options.retriesPerSecond ?? 10,
    retryLimitMs: options.retryLimitMs ?? (asked === 0 ? 30_000 : connectionTimeoutMs),
    resolveCommits: options.resolveCommits ?? true,
    maxPreparedStatements: options.maxPreparedStatements ?? 100,
    pooled: options.pooled ?? false,
    applicationName: options.applicationName ?? target.applicationName ?? "pgroundwork",
    timeZone: options.timeZone ?? "UTC",
  };
  for (const [name, value] of Object.entries(settings))
    if (typeof value === "number" && !(value >= 0 && Number.isFinite(value)))
      faults.push(`${name} is ${value}, expected a number from 0`);
  if (settings.hostTimeoutMs === 0) faults.push("hostTimeoutMs is 0, expected a number above 0");
  if (!Number.isInteger(max) || max < 1) faults.push(`max is ${max}, expected a whole number from 1`);
  else if (min > max) faults.push(`min is ${min}, more than max (${max})`);
  if (faults.length > 0)
    throw new OperationError(["The pool's settings are wrong:", ...faults.map((each) => `- ${each}`)].join("\n"), {
      exitCode: exitCode.usage,
    });
  return settings;
}

function targetOf(connection: PoolOptions["connection"], env: Environment): PoolTarget {
  if (connection === undefined) return targetFromEnvironment(env);
  return typeof connection === "string" ? targetFromUrl(connection, "connection", env) : connection;
}

function passwordOf(options: PoolOptions, env: Environment, target: PoolTarget): PoolSettings["password"] {
  if (options.password !== undefined) return options.password;
  const file = options.passwordFile ?? (env.DB_PASSWORD_FILE || undefined);
  return file === undefined ? target.password : passwordFromFile(file);
}

function countFrom(env: Environment, name: string, faults: string[]): number | undefined {
  const text = env[name];
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  faults.push(`${name} is "${text}", expected a whole number`);
  return undefined;
}

function durationFrom(env: Environment, name: string, faults: string[]): number | undefined {
  const text = env[name];
  if (!text) return undefined;
  const duration = parseDurationMs(text);
  if (duration === undefined) faults.push(`${name} is "${text}", expected a duration such as 5m or 300s`);
  return duration;
}
