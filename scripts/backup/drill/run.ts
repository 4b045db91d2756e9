import { z } from "zod";
import type { Drill } from "./drill.ts";
import type { EvidencePosition } from "./evidence.ts";

const runSchema = z.object({
  /** ISO 8601. */
  startedAt: z.string(),
  seconds: z.number(),
  outcome: z.enum(["passed", "failed", "could not run"]),
  reasons: z.array(z.string()),
  rtoSeconds: z.number().nullable(),
  rpoSeconds: z.number().nullable(),
  /** Objectives that were missed. */
  missed: z.array(z.enum(["RTO", "RPO"])),
  /** Number and hash of its evidence; null if it left none. */
  evidence: z.object({ number: z.int().positive(), hash: z.string() }).nullable(),
});

/** Schema of the record file. */
export const recordSchema = z.object({
  last: runSchema,
  /** Last run that passed or failed; null if none did. */
  lastConclusive: runSchema.nullable(),
  lastPassed: runSchema.nullable(),
});

/** Summary of a drill. */
export type DrillRun = z.output<typeof runSchema>;

/** Last drills of a repository, in the order in which they were recorded, whatever the clock said. */
export type DrillRecord = z.output<typeof recordSchema>;

/** Number of reasons of a run that are recorded. */
const maxReasons = 20;

/** Adds a run to the record. A run that could not run replaces neither the last passed nor the last conclusive one. */
export function withRun(record: DrillRecord | undefined, last: DrillRun): DrillRecord {
  const { lastConclusive = null, lastPassed = null } = record ?? {};
  return {
    last,
    lastConclusive: last.outcome === "could not run" ? lastConclusive : last,
    lastPassed: last.outcome === "passed" ? last : lastPassed,
  };
}

/** Merges two records by the times at which the drills started. */
export function newerOf(one: DrillRecord | undefined, other: DrillRecord): DrillRecord {
  if (one === undefined) return other;
  const newer = <Run extends DrillRun | null>(a: Run, b: Run): Run =>
    b === null || (a !== null && Date.parse(a.startedAt) >= Date.parse(b.startedAt)) ? a : b;
  return {
    last: newer(one.last, other.last),
    lastConclusive: newer(one.lastConclusive, other.lastConclusive),
    lastPassed: newer(one.lastPassed, other.lastPassed),
  };
}

/** Summarises a drill for the record. */
export function summarizeDrill(drill: Drill, evidence: EvidencePosition | null): DrillRun {
  const { startedAt, seconds, outcome, reasons, rtoSeconds, rpoSeconds, objectives } = drill;
  const missed = objectives.filter((each) => each.missed).map(({ name }) => name);
  return {
    ...{ startedAt, seconds, outcome, rtoSeconds, rpoSeconds, missed, evidence },
    reasons: reasons.slice(0, maxReasons),
  };
}
