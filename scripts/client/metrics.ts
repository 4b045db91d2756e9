import type { Registry } from "prom-client";
import { throwImportError } from "../core/missing-package.ts";
import { channels } from "./channels.ts";
import type { PoolCore } from "./pool-core.ts";

/** A registry of prom-client, without its types: an application without metrics does not install them. */
export interface MetricsRegistry {
  metrics(): Promise<string>;
  removeSingleMetric(name: string): void;
}

const poolLabel = "db_client_connection_pool_name";
const stateLabel = "db_client_connection_state";

/** Upper limits of the histograms' buckets, in seconds. */
const buckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/**
 * Registers the pool's metrics with prom-client, under OpenTelemetry's names for database clients as Prometheus writes
 * them: underscores, units and `_total`. Returns a function that removes them.
 *
 * @param name value of the label `db_client_connection_pool_name`
 * @throws OperationError if prom-client is not installed
 */
export async function registerPoolMetrics(
  pool: PoolCore,
  registry: MetricsRegistry,
  name = "default",
): Promise<() => void> {
  const { Counter, Gauge, Histogram } = await import("prom-client").catch(throwImportError);
  const registers = [registry as Registry];
  const labels = { [poolLabel]: name };
  const gauge = (metric: string, help: string, value: () => number) =>
    new Gauge({
      name: metric,
      help,
      labelNames: [poolLabel],
      registers,
      collect() {
        this.set(labels, value());
      },
    });
  const counter = (metric: string, help: string, value: () => number) =>
    new Counter({
      name: metric,
      help,
      labelNames: [poolLabel],
      registers,
      collect() {
        this.reset();
        this.inc(labels, value());
      },
    });
  const histogram = (metric: string, help: string) =>
    new Histogram({ name: metric, help, labelNames: [poolLabel], registers, buckets });
  const count = new Gauge({
    name: "db_client_connection_count",
    help: "Connections by state.",
    labelNames: [poolLabel, stateLabel],
    registers,
    collect() {
      const { idle, used } = pool.stats;
      this.set({ ...labels, [stateLabel]: "idle" }, idle);
      this.set({ ...labels, [stateLabel]: "used" }, used);
    },
  });
  const wait = histogram("db_client_connection_wait_time_seconds", "Time to obtain a connection.");
  const use = histogram("db_client_connection_use_time_seconds", "Time between obtaining and returning a connection.");
  const create = histogram("db_client_connection_create_time_seconds", "Time to open a connection.");
  const metrics = [
    count,
    wait,
    use,
    create,
    gauge("db_client_connection_max", "Maximum number of connections.", () => pool.stats.max),
    gauge("db_client_connection_idle_min", "Idle connections that are kept.", () => pool.settings.min),
    gauge("db_client_connection_pending_requests", "Requests that wait for a connection.", () => pool.stats.waiting),
    counter(
      "db_client_connection_timeouts_total",
      "Requests that got no connection in time.",
      () => pool.stats.timeouts,
    ),
    counter(
      "pgroundwork_client_retries_total",
      "Statements and transactions that were repeated.",
      () => pool.stats.retries,
    ),
    counter("pgroundwork_client_leaks_total", "Reports of connections held too long.", () => pool.stats.leaks),
    counter("pgroundwork_client_connect_attempts_total", "Attempts to connect.", () => pool.stats.connectAttempts),
  ];
  const subscriptions = [
    observe(pool, channels.checkout, "waitMs", (seconds) => wait.observe(labels, seconds)),
    observe(pool, channels.returned, "useMs", (seconds) => use.observe(labels, seconds)),
    observe(pool, channels.connect, "createMs", (seconds) => create.observe(labels, seconds)),
  ];
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
    for (const { name: metric } of metrics as unknown as { name: string }[]) registry.removeSingleMetric(metric);
  };
}

/** Passes the milliseconds of a channel's messages about one pool on, in seconds. */
function observe(
  pool: PoolCore,
  from: (typeof channels)[keyof typeof channels],
  field: string,
  record: (seconds: number) => void,
): () => void {
  const listener = (message: unknown) => {
    const published = message as { pool: unknown } & Record<string, number>;
    if (published.pool === pool) record((published[field] ?? 0) / 1_000);
  };
  from.subscribe(listener);
  return () => {
    from.unsubscribe(listener);
  };
}
