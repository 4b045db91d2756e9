import type { Connection } from "../connection/connection.ts";
import { NotKnown, type Observer, withObserver } from "../connection/observer.ts";
import type { Known } from "../core/known.ts";
import { OperationError } from "../core/operation-error.ts";
import type { BackupValues, Collector, HealthSettings, OperationValues } from "./collector.ts";
import { type ActivityValues, activity } from "./collectors/activity.ts";
import { type ConnectionValues, connections } from "./collectors/connections.ts";
import { errors } from "./collectors/errors.ts";
import { type FreezeValues, freeze } from "./collectors/freeze.ts";
import { type HostValues, host } from "./collectors/host.ts";
import { type LockValues, locks } from "./collectors/locks.ts";
import { type MigrationValues, migrations } from "./collectors/migrations.ts";
import { type ReplicationValues, replication } from "./collectors/replication.ts";
import { type ServerValues, server } from "./collectors/server.ts";
import { type SessionValues, sessions } from "./collectors/sessions.ts";
import { type SizeValues, sizes } from "./collectors/sizes.ts";
import { type StatementsValues, statements } from "./collectors/statements.ts";
import { type TablesValues, tables } from "./collectors/tables.ts";
import { type WalValues, wal } from "./collectors/wal.ts";
import type { ErrorCounts } from "./logged-errors.ts";
import { readStackPart } from "./stack-part.ts";

/** Values of each part of a snapshot. */
export interface SnapshotValues {
  server: ServerValues;
  connections: ConnectionValues;
  sessions: SessionValues;
  locks: LockValues;
  activity: ActivityValues;
  statements: StatementsValues;
  wal: WalValues;
  replication: ReplicationValues;
  freeze: FreezeValues;
  sizes: SizeValues;
  tables: TablesValues;
  migrations: MigrationValues;
  host: HostValues;
  errors: ErrorCounts;
  /** null if the stack makes no backups. */
  backups: BackupValues | null;
  /** null if the stack makes no backups, which record them. */
  operations: OperationValues | null;
}

/** Name of a part of the snapshot. */
export type PartName = keyof SnapshotValues;

/** Values of a part. */
export type PartValues<Name extends PartName> = SnapshotValues[Name];

/** All collectors that use the session, in the order in which they run. */
export const collectors: { [Name in Exclude<PartName, "backups" | "operations">]: Collector<SnapshotValues[Name]> } = {
  server,
  connections,
  sessions,
  locks,
  activity,
  statements,
  wal,
  replication,
  freeze,
  sizes,
  tables,
  migrations,
  host,
  errors,
};

/** Names of all parts. */
export const partNames = [...Object.keys(collectors), "backups", "operations"] as PartName[];

/** A part, or the reason why it is not known. */
export type Part<Name extends PartName> = Known<{ value: PartValues<Name> }>;

/** All that is known of a server at one time. */
export interface Snapshot {
  takenAt: Date;
  durationMs: number;
  /** Reason why the server could not be reached, or stopped to answer. Parts that were read before are known. */
  unreachable?: string;
  parts: { [Name in PartName]: Part<Name> };
}

/** Time in ms that a snapshot may take besides its collectors: to connect, mostly. */
const snapshotLimitMs = 12_000;

/** Name of snapshot sessions in pg_stat_activity. */
const applicationName = "pgroundwork health";

/**
 * Takes a snapshot by one session. If the server cannot be reached, or stops to answer, the parts that are missing are
 * unknown with that reason.
 */
export async function takeSnapshot(connection: Connection, settings: HealthSettings): Promise<Snapshot> {
  const takenAt = new Date();
  const started = performance.now();
  const parts: Partial<Record<PartName, Known<{ value: unknown }>>> = {};
  const limits = { statementTimeoutMs: settings.collectorMs, lockTimeoutMs: Math.ceil(settings.collectorMs / 2) };
  let unreachable: string | undefined;
  const [backups, operations] = [readStackPart(settings.readBackups), readStackPart(settings.readOperations)];
  try {
    const read = withObserver(connection, { applicationName, ...limits }, async (observer) => {
      for (const [name, collector] of Object.entries(collectors))
        parts[name as PartName] = await collect(collector, observer, settings);
    });
    await within(snapshotLimitMs + Object.keys(collectors).length * 3 * settings.collectorMs, read);
  } catch (error) {
    if (!(error instanceof OperationError || error instanceof NotKnown)) throw error;
    unreachable = error.message;
  }
  parts.backups = await backups;
  parts.operations = await operations;
  for (const name of partNames) parts[name] ??= { known: false, reason: unreachable ?? "" };
  const taken = { takenAt, durationMs: performance.now() - started, parts: parts as Snapshot["parts"] };
  return unreachable === undefined ? taken : { ...taken, unreachable };
}

/** Fails if the work takes longer. A server that is paused at the wrong moment would keep all readers waiting. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotKnown(`the snapshot was not complete after ${limitMs} ms`)), limitMs);
  });
  // After the limit, nobody waits for its failure.
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function collect(
  collector: Collector<unknown>,
  observer: Observer,
  settings: HealthSettings,
): Promise<Known<{ value: unknown }>> {
  try {
    return { known: true, value: await collector.collect(observer, settings) };
  } catch (error) {
    if (error instanceof NotKnown) return { known: false, reason: error.message };
    throw error;
  }
}
