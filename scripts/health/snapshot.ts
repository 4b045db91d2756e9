import type { Connection } from "../connection/connection.ts";
import { ConnectionError } from "../connection/connection-error.ts";
import { NotKnown, type Observer, withObserver } from "../connection/observer.ts";
import type { Known } from "../core/known.ts";
import { OperationError } from "../core/operation-error.ts";
import type {
  BackupValues,
  Collector,
  HealthSettings,
  JobValues,
  ObservedDatabase,
  OperationValues,
} from "./collector.ts";
import { type ActivityValues, activity } from "./collectors/activity.ts";
import { type ConnectionValues, connections } from "./collectors/connections.ts";
import { errors } from "./collectors/errors.ts";
import { type FreezeValues, freeze } from "./collectors/freeze.ts";
import { host } from "./collectors/host.ts";
import { type LockValues, locks } from "./collectors/locks.ts";
import { type MigrationValues, migrations } from "./collectors/migrations.ts";
import { type ReplicationValues, replication } from "./collectors/replication.ts";
import { type ServerValues, server } from "./collectors/server.ts";
import { type SessionValues, sessions } from "./collectors/sessions.ts";
import { type SizeValues, sizes } from "./collectors/sizes.ts";
import { type StatementsValues, statements } from "./collectors/statements.ts";
import { type TablesValues, tables } from "./collectors/tables.ts";
import { type WalValues, wal } from "./collectors/wal.ts";
import type { HostValues } from "./host-values.ts";
import { within } from "./in-time.ts";
import type { ErrorCounts } from "./logged-errors.ts";
import type { PoolerState } from "./pooler.ts";
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
  /** null if no database has jobs. */
  jobs: JobValues | null;
}

/** Name of a part of the snapshot. */
export type PartName = keyof SnapshotValues;

/** Values of a part. */
export type PartValues<Name extends PartName> = SnapshotValues[Name];

/** All collectors that use the session, in the order in which they run. */
export const collectors: {
  [Name in Exclude<PartName, "backups" | "operations" | "jobs">]: Collector<SnapshotValues[Name]>;
} = {
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
export const partNames = [...Object.keys(collectors), "backups", "operations", "jobs"] as PartName[];

/** A part, or the reason why it is not known. */
export type Part<Name extends PartName> = Known<{ value: PartValues<Name> }>;

/** All that is known of a server at one time. */
export interface Snapshot {
  takenAt: Date;
  durationMs: number;
  /** Reason why the server could not be reached, or stopped to answer. Parts that were read before are known. */
  unreachable?: string;
  parts: { [Name in PartName]: Part<Name> };
  /** State of the stack's pooler. Absent if it cannot be read from here. */
  pooler?: Known<{ value: PoolerState | null }>;
  /** Parts of each observed database, by its name. */
  databases: Record<string, DatabaseParts>;
}

/** Parts that each database has. */
export interface DatabaseParts {
  migrations: Part<"migrations">;
  tables: Part<"tables">;
}

/** Time in ms that a snapshot may take besides its collectors: to connect, mostly. */
const snapshotLimitMs = 12_000;

/** Name of snapshot sessions in pg_stat_activity. */
const applicationName = "pgroundwork health";

/**
 * Takes a snapshot by one session, and by one for each further database. If the server cannot be reached, or stops to
 * answer, the parts that are missing are unknown with that reason. If it refuses the connection's database, the session
 * is in the next observed one.
 */
export async function takeSnapshot(connection: Connection, settings: HealthSettings): Promise<Snapshot> {
  const takenAt = new Date();
  const started = performance.now();
  const parts: Partial<Record<PartName, Known<{ value: unknown }>>> = {};
  const [backups, operations] = [readStackPart(settings.readBackups), readStackPart(settings.readOperations)];
  const jobs = readStackPart(settings.readJobs);
  const { database: first } = connection;
  const pooler = settings.readPooler === undefined ? undefined : readStackPart(settings.readPooler);
  const observed = settings.databases ?? [{ connection, ...comparisonOf(settings) }];
  const others = observed.filter((each) => each.connection.database !== first);
  const refusals = new Map<string, string>();
  let unreachable: string | undefined;
  let session: string | undefined;
  // A server that refuses one database can have the others.
  for (const each of [{ connection, ...comparisonOf(settings) }, ...others]) {
    try {
      const inDatabase = settingsIn(each, settings);
      const read = withObserver(each.connection, { applicationName, ...limitsOf(settings) }, async (observer) => {
        for (const [name, collector] of Object.entries(collectors))
          parts[name as PartName] = await collect(collector, observer, inDatabase);
      });
      await beforeLimit(snapshotLimitMs + Object.keys(collectors).length * 3 * settings.collectorMs, read);
      session = each.connection.database;
      break;
    } catch (error) {
      if (!(error instanceof OperationError || error instanceof NotKnown)) throw error;
      unreachable ??= error.message;
      if (!(error instanceof ConnectionError && ["database-missing", "denied"].includes(error.failure))) break;
      refusals.set(each.connection.database, error.message);
    }
  }
  if (session !== undefined) unreachable = undefined;
  parts.backups = await backups;
  parts.operations = await operations;
  parts.jobs = await jobs;
  for (const name of partNames) parts[name] ??= { known: false, reason: unreachable ?? "" };
  const { migrations: own, tables: ownTables } = parts as Snapshot["parts"];
  const databases: Snapshot["databases"] = {};
  const deadline = performance.now() + snapshotLimitMs;
  // One after the other, because a server reserves few connections for monitoring.
  for (const each of observed) {
    const { database } = each.connection;
    const reason = refusals.get(database) ?? unreachable;
    if (reason !== undefined) databases[database] = notRead(reason);
    else if (database === session) databases[database] = { migrations: own, tables: ownTables };
    else databases[database] = await readDatabase(each, settings, deadline);
  }
  const taken = {
    ...{ takenAt, durationMs: performance.now() - started, parts: parts as Snapshot["parts"], databases },
    ...(pooler === undefined ? {} : { pooler: await pooler }),
  };
  return unreachable === undefined ? taken : { ...taken, unreachable };
}

/**
 * Reads the parts of a database in a session of its own.
 *
 * @param deadline in ms, of `performance.now()`
 */
async function readDatabase(
  database: ObservedDatabase,
  others: HealthSettings,
  deadline: number,
): Promise<DatabaseParts> {
  const leftMs = deadline - performance.now();
  if (leftMs <= 0) return notRead("reading the databases before it took too long");
  const settings = settingsIn(database, others);
  try {
    const options = { applicationName, ...limitsOf(settings) };
    const read = withObserver(database.connection, options, async (observer) => ({
      migrations: (await collect(migrations, observer, settings)) as Part<"migrations">,
      tables: (await collect(tables, observer, settings)) as Part<"tables">,
    }));
    return await beforeLimit(leftMs, read);
  } catch (error) {
    if (!(error instanceof OperationError || error instanceof NotKnown)) throw error;
    return notRead(error.message);
  }
}

function notRead(reason: string): DatabaseParts {
  return { migrations: { known: false, reason }, tables: { known: false, reason } };
}

/** Returns the settings with the comparison of one database. */
function settingsIn(database: ObservedDatabase, { compareMigrations: _, ...settings }: HealthSettings): HealthSettings {
  return { ...settings, ...comparisonOf(database) };
}

function comparisonOf({ compareMigrations }: Pick<HealthSettings, "compareMigrations">) {
  return compareMigrations === undefined ? {} : { compareMigrations };
}

/** Returns the time limits of a session in ms. */
function limitsOf({ collectorMs }: HealthSettings) {
  return { statementTimeoutMs: collectorMs, lockTimeoutMs: Math.ceil(collectorMs / 2) };
}

/** Fails if the work takes longer. A server that is paused at the wrong moment would keep all readers waiting. */
function beforeLimit<T>(ms: number, work: Promise<T>): Promise<T> {
  return within(ms, `the snapshot was not complete after ${ms} ms`, work);
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
