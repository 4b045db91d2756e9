import { EventEmitter, once } from "node:events";
import { backoffMs, connectBackoff } from "../backoff.ts";
import { describeRole, matchesTarget, type SessionRole, type TargetSessionAttrs } from "./role.ts";

/** One server of the list, and what the last attempts showed. */
export interface Server {
  readonly host: string;
  readonly port: number;
  /** Role at the last login or probe. */
  role: SessionRole | undefined;
  /** Consecutive attempts that failed or found another role than wanted. */
  failures: number;
  /** Time of the next attempt, on the clock of `performance.now()`. */
  retryAt: number;
  /** Attempts in progress. */
  connecting: number;
  lastError: unknown;
  /** Counts the times that the server lost the role that was wanted. Clients of an earlier number are closed. */
  generation: number;
}

export interface ServerListOptions {
  hosts: readonly { host: string; port: number }[];
  target: TargetSessionAttrs;
  /** Tries the servers in random order, as libpq's `load_balance_hosts=random` does. */
  shuffle: boolean;
}

/** Attempts to one server at the same time. More would be wasted if the server is away. */
const maxConcurrentAttempts = 4;

/**
 * The servers of a pool: chooses the one for the next connection, as libpq does, and limits the attempts. While a
 * server fails, one attempt at a time is made, for all callers that wait.
 *
 * Emits `change` after each attempt, and `demoted` with the server that lost its role.
 */
export class ServerList extends EventEmitter<{ change: []; demoted: [Server] }> {
  readonly servers: readonly Server[];
  readonly target: TargetSessionAttrs;
  readonly #shuffle: boolean;
  #closed = false;

  constructor({ hosts, target, shuffle }: ServerListOptions) {
    super();
    this.setMaxListeners(0);
    this.target = target;
    this.#shuffle = shuffle;
    this.servers = hosts.map(({ host, port }) => ({
      host,
      port,
      role: undefined,
      failures: 0,
      retryAt: 0,
      connecting: 0,
      lastError: undefined,
      generation: 0,
    }));
  }

  /** Returns the server to connect to now, or undefined if every one is in use by an attempt or has to wait. */
  choose(now = performance.now()): Server | undefined {
    const inOrder = this.#shuffle ? shuffled(this.servers) : this.servers;
    const free = inOrder.filter(
      ({ failures, connecting }) => connecting < maxConcurrentAttempts && (failures === 0 || connecting === 0),
    );
    const wanted = ({ role }: Server) => role === undefined || matchesTarget(role, this.target);
    const first =
      free.find((server) => server.failures === 0 && wanted(server)) ??
      free.find((server) => server.failures > 0 && server.retryAt <= now);
    if (first !== undefined || this.target !== "prefer-standby") return first;
    // libpq's second pass: any server, after each was tried as a standby.
    const tried = this.servers.every(({ failures }) => failures > 0);
    return tried ? free.find((server) => server.lastError === undefined && server.role !== undefined) : undefined;
  }

  /** Returns true if a session of this role is accepted. */
  accepts(server: Server, role: SessionRole): boolean {
    if (matchesTarget(role, this.target)) return true;
    if (this.target !== "prefer-standby") return false;
    return this.servers.every((other) => other === server || other.failures > 0);
  }

  /**
   * Waits until {@link choose} returns a server.
   *
   * @param enough ends the wait, too
   * @throws the signal's reason
   */
  async available(signal: AbortSignal, enough: () => boolean = () => false): Promise<void> {
    while (this.choose() === undefined && !enough()) {
      signal.throwIfAborted();
      const waiting = this.servers.filter(({ connecting, failures }) => connecting === 0 && failures > 0);
      const next = Math.min(...waiting.map(({ retryAt }) => retryAt));
      const wake = new AbortController();
      const timer = setTimeout(() => wake.abort(), Math.max(0, Math.min(next - performance.now(), 60_000)));
      try {
        await once(this, "change", { signal: AbortSignal.any([signal, wake.signal]) });
      } catch {
        signal.throwIfAborted();
      } finally {
        clearTimeout(timer);
      }
    }
  }

  /** Records the beginning of an attempt. */
  began(server: Server): void {
    server.connecting += 1;
  }

  /** Records a login, or a probe of a server. */
  succeeded(server: Server, role: SessionRole): void {
    this.#ended(server);
    const before = server.role;
    server.role = role;
    server.lastError = undefined;
    if (matchesTarget(role, this.target) || this.target === "prefer-standby") {
      // A second choice is asked again later, because a standby may be back by then.
      if (matchesTarget(role, this.target)) server.failures = 0;
      else this.#postpone(server);
    } else {
      this.#postpone(server);
      if (before !== undefined && matchesTarget(before, this.target)) this.#demote(server);
    }
    this.emit("change");
  }

  /** Records an attempt that failed. */
  failed(server: Server, error: unknown): void {
    this.#ended(server);
    server.lastError = error;
    this.#postpone(server);
    this.emit("change");
  }

  /** Records a statement that showed the loss of the role, before a probe did. */
  lostRole(server: Server): void {
    if (server.role === undefined) return;
    server.role = undefined;
    this.#demote(server);
    this.emit("change");
  }

  /** Describes the last result of each server, for messages. */
  describe(): string {
    return this.servers
      .map(({ host, port, lastError, role }) => {
        const address = host.startsWith("/") ? `${host} (port ${port})` : `${host}:${port}`;
        if (lastError !== undefined) return `${address}: ${textOf(lastError)}`;
        return `${address}: ${role === undefined ? "not tried" : `is ${describeRole(role)}`}`;
      })
      .join("; ");
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Makes no further attempts. */
  close(): void {
    this.#closed = true;
    this.emit("change");
  }

  #ended(server: Server): void {
    server.connecting = Math.max(0, server.connecting - 1);
  }

  #postpone(server: Server): void {
    server.failures += 1;
    server.retryAt = performance.now() + backoffMs(server.failures, connectBackoff);
  }

  #demote(server: Server): void {
    server.generation += 1;
    this.emit("demoted", server);
  }
}

function shuffled(servers: readonly Server[]): Server[] {
  return servers
    .map((server) => ({ server, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ server }) => server);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
