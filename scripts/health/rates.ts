import type { Snapshot } from "./snapshot.ts";

/** Rates between two snapshots. null: not known, because there is no earlier snapshot or a counter began again. */
export interface Rates {
  transactionsPerSecond: number | null;
  /** Share of pages that were in shared_buffers, 0 to 1. */
  cacheHitRatio: number | null;
  /** Mean time of a statement in ms. */
  meanStatementMs: number | null;
  walBytesPerSecond: number | null;
}

/**
 * Computes the rates between two snapshots. A new interval begins after a restart, on another cluster or timeline, and
 * if statistics were reset or a counter went back.
 */
export function ratesBetween(before: Snapshot | undefined, after: Snapshot): Rates {
  const none = { transactionsPerSecond: null, cacheHitRatio: null, meanStatementMs: null, walBytesPerSecond: null };
  if (before === undefined || !isSameServer(before, after)) return none;
  const seconds = (after.takenAt.getTime() - before.takenAt.getTime()) / 1_000;
  const [activity, statements, wal] = [
    interval(before.parts.activity, after.parts.activity),
    interval(before.parts.statements, after.parts.statements),
    interval(before.parts.wal, after.parts.wal),
  ];
  const commits = growth(activity, ({ commits: count, rollbacks }) => count + rollbacks);
  const [hit, read] = [
    growth(activity, ({ blocksHit }) => blocksHit),
    growth(activity, ({ blocksRead }) => blocksRead),
  ];
  const [calls, totalMs] = [growth(statements, (each) => each.calls), growth(statements, (each) => each.totalMs)];
  return {
    transactionsPerSecond: ratio(commits, seconds),
    cacheHitRatio: hit === null || read === null ? null : ratio(hit, hit + read),
    meanStatementMs: calls === null ? null : ratio(totalMs, calls),
    walBytesPerSecond: ratio(
      growth(wal, ({ bytes }) => bytes),
      seconds,
    ),
  };
}

/** Use of one statement between two snapshots. */
export interface StatementGrowth {
  id: string;
  calls: number;
  totalMs: number;
}

/** Computes the use of each statement that is among the most expensive ones of both snapshots. */
export function statementGrowth(before: Snapshot | undefined, after: Snapshot): StatementGrowth[] {
  if (before === undefined || !isSameServer(before, after)) return [];
  const pair = interval(before.parts.statements, after.parts.statements);
  if (pair === undefined) return [];
  const earlier = new Map(pair[0].top.map((statement) => [statement.id, statement]));
  return pair[1].top.flatMap(({ id, calls, totalMs }) => {
    const known = earlier.get(id);
    if (known === undefined || calls <= known.calls || totalMs < known.totalMs) return [];
    return { id, calls: calls - known.calls, totalMs: totalMs - known.totalMs };
  });
}

function isSameServer({ parts: { server: a } }: Snapshot, { parts: { server: b } }: Snapshot): boolean {
  return (
    a.known &&
    b.known &&
    a.value.startedAt.getTime() === b.value.startedAt.getTime() &&
    a.value.systemIdentifier === b.value.systemIdentifier &&
    a.value.timeline === b.value.timeline &&
    a.value.role === b.value.role &&
    a.value.database === b.value.database
  );
}

type Counted = { countedSince: Date | null };
type Maybe<T> = { known: true; value: T } | { known: false; reason: string };

function interval<T extends Counted>(before: Maybe<T>, after: Maybe<T>): [T, T] | undefined {
  if (!before.known || !after.known) return undefined;
  const isReset = before.value.countedSince?.getTime() !== after.value.countedSince?.getTime();
  return isReset ? undefined : [before.value, after.value];
}

function growth<T>(pair: [T, T] | undefined, read: (values: T) => number): number | null {
  if (pair === undefined) return null;
  const grown = read(pair[1]) - read(pair[0]);
  return grown < 0 ? null : grown;
}

function ratio(part: number | null, whole: number): number | null {
  return part === null || whole <= 0 ? null : part / whole;
}
