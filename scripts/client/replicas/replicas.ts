import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { Checkout } from "../checkouts.ts";
import { codeOf, PoolStarvationError } from "../errors.ts";
import { isLost } from "../failures.ts";
import { Maintenance } from "../maintenance.ts";
import { PoolCore } from "../pool-core.ts";
import { outsideRequests, requestWrites } from "../request-session.ts";
import type { PoolSettings } from "../settings.ts";
import { ReplicaLag } from "./replica-lag.ts";
import { parseLsn } from "./wal-position.ts";

/** Conditions under which a standby may answer. If none fulfils them, the primary answers. */
export interface ReplicaRead {
  /** Reads from a standby that has the writes of the same request. Implies `readOnly`. */
  replica?: boolean;
  /** The standby's data is at most this old. Default: that of the pool, 5,000. */
  maxLagMs?: number;
  /** Position of `pool.lsn()`, also of another process: the standby has everything up to there. */
  afterLsn?: string;
}

/** Time limit to obtain a client of a standby, in ms. The primary answers then. */
const obtainTimeoutMs = 1_000;

/** Recovery ended the statement, because it needed a lock or rows that the statement used. */
const recoveryConflict = ["40001", "40P01"];

/** The standbys of a pool's servers, and what they may answer. */
export class Replicas {
  readonly core: PoolCore;
  readonly #primary: PoolCore;
  readonly #maintenance: Maintenance;
  readonly #lag: ReplicaLag;
  #finding = false;

  /**
   * @param askPrimary asks the primary for its position
   * @throws OperationError (wrong usage) if the pool may take a standby for the primary
   */
  constructor(primary: PoolCore, askPrimary: () => Promise<string>) {
    const { settings } = primary;
    if (settings.target.hosts.length > 1 && !["primary", "read-write"].includes(settings.targetSessionAttrs))
      throw new OperationError(
        `Reads from standbys need a pool of the primary, and targetSessionAttrs is "${settings.targetSessionAttrs}".`,
        { hint: 'Set it to "primary" or "read-write".', exitCode: exitCode.usage },
      );
    this.#primary = primary;
    const own: PoolSettings = {
      ...settings,
      targetSessionAttrs: "standby",
      loadBalanceHosts: "random",
      connectionTimeoutMs: Math.min(obtainTimeoutMs, settings.connectionTimeoutMs),
      hostTimeoutMs: Math.min(obtainTimeoutMs, settings.hostTimeoutMs),
    };
    this.core = new PoolCore(own);
    this.#maintenance = new Maintenance(this.core);
    this.#lag = new ReplicaLag(askPrimary);
  }

  /**
   * Obtains a client of a standby that fulfils the conditions, or undefined if none does.
   *
   * @throws the signal's reason
   */
  async obtain({ maxLagMs, afterLsn }: ReplicaRead, signal?: AbortSignal): Promise<Checkout | undefined> {
    const lsn = afterLsn === undefined ? undefined : parseLsn(afterLsn);
    this.#lag.use();
    const writes = requestWrites(this.#primary);
    // A write that runs can be committed at any moment.
    if (writes !== undefined && writes.running > 0) return undefined;
    if (!this.core.servers.servers.some(({ role, failures }) => role?.standby && failures === 0)) {
      this.#find();
      return undefined;
    }
    const checkout = await this.#acquire(signal);
    if (checkout === undefined) return undefined;
    const { client } = checkout;
    const maxLag = maxLagMs ?? this.#primary.settings.maxLagMs;
    const good = () => {
      const least = Math.max(performance.now() - maxLag, writes?.endedAt ?? Number.NEGATIVE_INFINITY);
      return this.#lag.freshUntil(client) >= least && (lsn === undefined || this.#lag.hasReplayed(client, lsn));
    };
    try {
      if (good() || ((await this.#lag.askStandby(client)) && good())) return checkout;
    } catch {
      if (!(await isLost(client))) await client.ready();
    }
    this.core.giveBack(checkout);
    return undefined;
  }

  /** Looks for a standby in the background. Later, the probes of the pool's maintenance find those that return. */
  #find(): void {
    if (this.#finding) return;
    this.#finding = true;
    void outsideRequests(() => this.#acquire(undefined)).then((checkout) => {
      if (checkout !== undefined) this.core.giveBack(checkout);
      this.#finding = false;
    });
  }

  async #acquire(signal: AbortSignal | undefined): Promise<Checkout | undefined> {
    try {
      return await this.core.acquire("statement", signal);
    } catch (error) {
      if (signal?.aborted || error instanceof PoolStarvationError) throw error;
      return undefined;
    }
  }

  /** Returns true if the primary may answer instead after this error. */
  async mayFallBack(checkout: Checkout, error: unknown): Promise<boolean> {
    return (await isLost(checkout.client)) || recoveryConflict.includes(codeOf(error));
  }

  async end(timeoutMs: number): Promise<void> {
    this.#lag.stop();
    this.#maintenance.stop();
    await this.core.close(timeoutMs);
  }
}
