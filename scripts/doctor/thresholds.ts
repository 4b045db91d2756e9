/** Limits above which checks report. All can be set, mostly by tests. */
export interface Thresholds {
  /** Days for which statistics must have been collected before "not used" counts. */
  observedDays: number;
  unusedIndexBytes: number;
  bloatedIndexBytes: number;
  /** Share of an index that is empty, 0 to 1. */
  bloatShare: number;
  missingIndexRows: number;
  missingIndexScans: number;
  /** Used share of a number range, 0 to 1. */
  exhaustedWarning: number;
  exhaustedError: number;
  /** Age in transactions; null for 1.25 times autovacuum_freeze_max_age. */
  freezeWarningAge: number | null;
  freezeErrorAge: number;
  deadRows: number;
  longTransactionSeconds: number;
  idleTransactionSeconds: number;
  blockedSeconds: number;
  slotBytes: number;
  checkpoints: number;
  temporaryBytesPerDay: number;
  cacheBlocks: number;
  cacheHitRatio: number;
  slowStatementMs: number;
  slowStatementCalls: number;
  /** Growth of a statement's mean time that counts. */
  slowerFactor: number;
  slowerMs: number;
  slowerCalls: number;
  /** Days before the last one that must have been recorded. */
  slowerDays: number;
  preparedSeconds: number;
  unanalyzedRows: number;
}

const mebibyte = 1024 ** 2;

export const defaultThresholds: Thresholds = {
  observedDays: 7,
  unusedIndexBytes: mebibyte,
  bloatedIndexBytes: 10 * mebibyte,
  bloatShare: 0.5,
  missingIndexRows: 10_000,
  missingIndexScans: 1_000,
  exhaustedWarning: 0.7,
  exhaustedError: 0.9,
  freezeWarningAge: null,
  freezeErrorAge: 1_500_000_000,
  deadRows: 10_000,
  longTransactionSeconds: 3_600,
  idleTransactionSeconds: 300,
  blockedSeconds: 30,
  slotBytes: 1024 * mebibyte,
  checkpoints: 20,
  temporaryBytesPerDay: 1024 * mebibyte,
  cacheBlocks: 1_000_000,
  cacheHitRatio: 0.9,
  slowStatementMs: 1_000,
  slowStatementCalls: 5,
  slowerFactor: 2,
  slowerMs: 10,
  slowerCalls: 100,
  slowerDays: 3,
  preparedSeconds: 600,
  unanalyzedRows: 1_000,
};
