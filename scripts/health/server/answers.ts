import { z } from "zod";

/*
 * The answers of the health server. /openapi.json is made from these schemas, and tests check each answer with them.
 * null: not known.
 */

const level = z.enum(["ok", "warning", "critical", "unknown"]);
const number = z.number().nullable();
const time = z.iso.datetime();

export const error = z.strictObject({ error: z.strictObject({ message: z.string() }) });

/** `GET /health`. */
export const process = z.strictObject({
  status: z.literal("ok").describe("The health server lives. It says nothing about the database."),
  uptimeSeconds: z.number(),
});

/** `GET /api/health/database`. */
export const database = z.strictObject({
  status: z.enum(["healthy", "warning", "critical"]),
  reasons: z.array(z.string()).describe("Why the status is not healthy."),
  role: z.enum(["primary", "replica"]).nullable(),
  writable: z.boolean().nullable(),
  responseTimeMs: z.number(),
  connections: z.strictObject({ total: z.number(), maximum: z.number(), percent: z.number() }).nullable(),
  checkedAt: time,
});

const subjects = z.array(
  z.strictObject({
    name: z.string(),
    database: z.string().optional().describe("Database that the subject is about; absent if it is the whole server."),
    level: z.enum([...level.options, "not-applicable"]).describe("not-applicable: the server does not have it."),
    detail: z.string(),
    since: time
      .nullable()
      .describe("First snapshot of those in a row with a warning, or worse; null if the last one was well."),
  }),
);

const trend = z.array(
  z.strictObject({
    ...{ at: time, level, connections: number, databaseBytes: number, diskFreeBytes: number },
    ...{ transactionsPerSecond: number, cacheHitRatio: number, meanStatementMs: number },
  }),
);

/** `GET /api/health/database/metrics` and `GET /v1/database/metrics`. */
export const metrics = z.strictObject({
  status: level,
  up: z.boolean(),
  takenAt: time,
  subjects,
  connections: z.strictObject({ total: z.number(), maximum: z.number(), percent: z.number() }).nullable(),
  sessions: z
    .strictObject({ active: z.number(), idle: z.number(), idleInTransaction: z.number(), waitingForLocks: z.number() })
    .nullable(),
  queries: z.strictObject({
    avgQueryTime: number,
    slowQueries: number,
    cacheHitRatio: number,
    transactionsPerSecond: number,
  }),
  storage: z.strictObject({ databaseBytes: number, diskFreeBytes: number, diskPercent: number }),
  replication: z.strictObject({ standbys: number, maximumLagBytes: number, receiving: z.boolean().nullable() }),
  uptime: number.describe("Share of probes answered in the last 30 days; null until 24 hours were measured."),
  detailed: z
    .strictObject({
      parts: z
        .record(z.string(), z.unknown())
        .describe("Each part of the snapshot, or the reason why it is not known."),
      databases: z.record(z.string(), z.unknown()).describe("Parts that each observed database has, by its name."),
      trend,
    })
    .optional(),
});

/** `GET /api/admin/database-health`. */
export const adminHealth = z.strictObject({
  status: z.enum(["connected", "disconnected"]),
  connections: z.strictObject({ active: number, idle: number, total: number }),
  performance: z.strictObject({ avgQueryTime: number, slowQueries: number }),
  uptime: z.string().nullable().describe('Such as "99.9%".'),
  lastBackup: time.nullable(),
});

/** `GET /api/admin/database-activity`. */
export const adminActivity = z.strictObject({
  sessions: z
    .strictObject({ active: z.number(), idle: z.number(), idleInTransaction: z.number(), waitingForLocks: z.number() })
    .nullable(),
  blockers: z
    .array(
      z.strictObject({
        pid: z.number(),
        role: z.string().nullable(),
        application: z.string(),
        database: z.string().nullable(),
        waiting: z.number(),
        longestWaitSeconds: z.number(),
      }),
    )
    .nullable(),
  unknown: z.array(z.string()),
});

/** `GET /api/admin/performance-metrics`. */
export const adminPerformance = z.strictObject({
  ...{ avgQueryTime: number, slowQueries: number, cacheHitRatio: number, transactionsPerSecond: number },
  topStatements: z
    .array(z.strictObject({ id: z.string(), calls: z.number(), totalMs: z.number(), meanMs: z.number() }))
    .nullable(),
  otherStatements: z
    .strictObject({ statements: z.number(), calls: z.number(), totalMs: z.number() })
    .nullable()
    .describe("Statements that are not in topStatements, all together."),
  unknown: z.array(z.string()),
});

/** `GET /api/admin/dashboard-stats`. The application decides what it contains. */
export const dashboard = z.record(z.string(), z.unknown());
