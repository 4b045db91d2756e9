import pg from "pg";
import { channels } from "./channels.ts";
import { describeCheckout } from "./checkouts.ts";
import type { PoolCore } from "./pool-core.ts";
import { outsideRequests } from "./request-session.ts";
import { askRole } from "./servers/role.ts";
import type { Server } from "./servers/servers.ts";

/** Interval of the checks of clients, in ms. */
const checkIntervalMs = 250;

/**
 * The pool's timers: reports clients that are held too long, ends statements that a frozen server does not end, closes
 * clients that are too old, and asks servers for their role.
 */
export class Maintenance {
  readonly #core: PoolCore;
  readonly #timers: NodeJS.Timeout[];
  #lastCheck = performance.now();

  constructor(core: PoolCore) {
    this.#core = core;
    const { probeIntervalMs, leakThresholdMs } = core.settings;
    const everyMs =
      leakThresholdMs > 0 ? Math.min(checkIntervalMs, Math.max(20, leakThresholdMs / 2)) : checkIntervalMs;
    // A request can create the pool.
    const repeat = (work: () => void, ms: number) => outsideRequests(() => setInterval(work, ms));
    this.#timers = [repeat(() => this.#checkClients(everyMs), everyMs)];
    const one = core.servers.servers.length === 1 && core.servers.target === "any";
    if (!one && probeIntervalMs > 0) this.#timers.push(repeat(() => this.#probeServers(), probeIntervalMs));
    // A pool without use does not keep the process alive.
    for (const timer of this.#timers) timer.unref();
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #checkClients(everyMs: number): void {
    const now = performance.now();
    // After a pause of the process, clients look held although their holders could not run. The next check sees them.
    const paused = now - this.#lastCheck > 3 * everyMs + 100;
    this.#lastCheck = now;
    if (paused) return;
    const { checkouts, settings, connections } = this.#core;
    for (const checkout of checkouts.all) {
      const { client, statementLimitMs, since } = checkout;
      if (statementLimitMs > 0 && client.busy && now - client.busySince > statementLimitMs)
        client.destroy(new Error(`the server did not end the statement within ${statementLimitMs} ms`));
      if (settings.leakThresholdMs > 0 && !checkout.reported && now - since > settings.leakThresholdMs)
        this.#reportLeak(checkout);
    }
    for (const client of connections.idle) if (now > client.expiresAt) connections.evict(client);
  }

  #reportLeak(checkout: Parameters<PoolCore["reclaim"]>[0]): void {
    const held = describeCheckout(checkout);
    // A statement of the pool itself is never leaked, and the server limits its time.
    if (held.kind === "statement") return;
    const reclaimed = this.#core.settings.reclaimLeaks && held.state === "held" && held.kind === "client";
    // A client that is busy now may be forgotten later.
    checkout.reported = held.state === "held";
    if (held.state === "busy" && checkout.busyReported) return;
    checkout.busyReported = held.state === "busy";
    this.#core.counts.leaks += 1;
    if (reclaimed) this.#core.reclaim(checkout);
    this.#core.report("leak", { ...held, reclaimed });
    channels.leak.publish({ pool: this.#core, ...held, reclaimed });
  }

  #probeServers(): void {
    const { servers, stats } = this.#core;
    for (const server of servers.servers) {
      // Requests that wait make the attempts themselves.
      if (server.connecting > 0 || (server.failures > 0 && stats.waiting > 0)) continue;
      if (server.role === undefined && server.lastError === undefined) continue;
      void this.#probe(server);
    }
  }

  async #probe(server: Server): Promise<void> {
    const { servers, settings } = this.#core;
    servers.began(server);
    const client = new pg.Client({
      ...this.#core.connections.clientConfig(server),
      connectionTimeoutMillis: settings.hostTimeoutMs,
      query_timeout: settings.hostTimeoutMs,
    });
    this.#core.counts.connectAttempts += 1;
    client.on("error", () => {});
    try {
      await client.connect();
      servers.succeeded(server, await askRole(client));
    } catch (error) {
      servers.failed(server, error);
    } finally {
      client.end().catch(() => {});
    }
  }
}
