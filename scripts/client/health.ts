import type { PoolCore, PoolStats } from "./pool-core.ts";
import type { Statement } from "./statements.ts";

/** Result of a health check. */
export interface CheckHealth {
  ok: boolean;
  /** Time until the answer. */
  latencyMs: number;
  /** Reason of a failure. */
  error?: string;
  pool: PoolStats;
  servers: { host: string; port: number; role: "primary" | "standby" | "unknown"; failures: number }[];
}

/** A pool that can run a statement. */
type HealthSubject = PoolCore & { query(statement: Statement): Promise<unknown> };

/** Runs a statement through the pool, and describes the pool and its servers. */
export async function checkHealth(pool: HealthSubject, timeoutMs = 5_000): Promise<CheckHealth> {
  const started = performance.now();
  let error: string | undefined;
  try {
    await pool.query({ text: "select 1", readOnly: true, signal: AbortSignal.timeout(timeoutMs) });
  } catch (failure) {
    error = failure instanceof Error ? failure.message : String(failure);
  }
  return {
    ok: error === undefined,
    latencyMs: performance.now() - started,
    ...(error !== undefined && { error }),
    pool: pool.stats,
    servers: pool.servers.servers.map(({ host, port, role, failures }) => ({
      host,
      port,
      role: role === undefined ? "unknown" : role.standby ? "standby" : "primary",
      failures,
    })),
  };
}
