import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { Backup } from "../info.ts";
import { formatLsn, parseLsn, type TimelineEnd } from "../wal.ts";
import { displayTime, parseTime } from "../window/microseconds.ts";
import { backupsBefore, type Part, type Timeline } from "../window/timelines.ts";
import { parseTransaction } from "../window/transactions.ts";
import { currentTimeline, earliestOf, latestOf, type WindowFacts, walOf } from "../window/window.ts";
import {
  findMigrationMark,
  findRestorePoint,
  findTransaction,
  positionIn,
  type RecordSearch,
  transactionIn,
} from "./record-search.ts";

/** Target of a restore to a point in time. */
export type Target =
  | { kind: "time"; at: bigint }
  | { kind: "lsn"; lsn: bigint }
  | { kind: "xid"; xid: bigint }
  | { kind: "restore-point"; name: string }
  | { kind: "before-migration"; number: string; database: string };

/** Arguments of a restore to a point in time. */
export interface PointRequest {
  target: Target;
  /** False to stop just before the target. */
  inclusive: boolean;
  /** Timeline to follow. Omit for the current one. */
  timeline?: number | undefined;
}

/** A point that can be restored, and how. */
export interface ChosenPoint {
  backup: Backup;
  timeline: Timeline;
  /** Part of the timeline that has the backup and the point. */
  part: Part;
  /** End of recovery. All targets but a time are positions of records. */
  stop: { kind: "time"; at: bigint } | { kind: "lsn"; lsn: bigint };
  inclusive: boolean;
}

/** A target is outside of what can be restored. */
export class OutsideWindow extends OperationError {
  /** True if WAL that is not archived yet may have the target. */
  readonly mayBeLater: boolean;

  constructor(message: string, hint: string, mayBeLater: boolean) {
    super(message, { hint, exitCode: exitCode.usage });
    this.mayBeLater = mayBeLater;
  }
}

/**
 * Chooses the backup and the timeline with which a target can be restored.
 *
 * @throws OutsideWindow if no backup and archived WAL reach it
 * @throws OperationError (wrong usage) if several timelines have it, and none was named
 */
export async function choosePoint(facts: WindowFacts, request: PointRequest): Promise<ChosenPoint> {
  const { timelines } = facts.state;
  const number = request.timeline ?? currentTimeline(facts);
  const timeline = timelines.find((each) => each.timeline === number);
  if (timeline === undefined) {
    const known = timelines.map((each) => each.timeline).join(", ");
    throw new OperationError(`The archive has no timeline ${number} that can be followed.`, {
      hint: `It has: ${known || "none"}.`,
      exitCode: exitCode.usage,
    });
  }
  const found = await findOn(facts, timeline, request);
  if (request.timeline === undefined) await requireUnambiguous(facts, timeline, request, found !== undefined);
  if (found !== undefined) return found;
  throw await outside(facts, timeline, request.target);
}

function findOn(facts: WindowFacts, timeline: Timeline, request: PointRequest): Promise<ChosenPoint | undefined> {
  const { target, inclusive } = request;
  switch (target.kind) {
    case "time":
      return findTime(facts, timeline, target.at, inclusive);
    case "lsn":
      return Promise.resolve(findPosition(timeline, target.lsn, inclusive));
    case "xid":
      return findEndOfTransaction(facts, timeline, target.xid, inclusive);
    case "restore-point":
      return findNamedPoint(facts, timeline, target, inclusive);
    case "before-migration":
      return findMigration(facts, timeline, target);
  }
}

async function findTime(
  facts: WindowFacts,
  timeline: Timeline,
  at: bigint,
  inclusive: boolean,
): Promise<ChosenPoint | undefined> {
  for (const part of timeline.parts.toReversed()) {
    if (at < (await earliestOf(facts, timeline, part))) continue;
    if (at > (await latestOf(facts, timeline, part))) return undefined;
    for (const backup of part.backups.toReversed()) {
      if (parseTime(backup.finishedAt) > at) continue;
      const end = parseLsn(backup.lsn.to);
      if ((await earliestOf(facts, timeline, { ...part, from: end, backups: [backup] })) > at) continue;
      return { backup, timeline, part, stop: { kind: "time", at }, inclusive };
    }
  }
  return undefined;
}

function findPosition(timeline: Timeline, lsn: bigint, inclusive: boolean): ChosenPoint | undefined {
  const part = timeline.parts.find(({ from, to }) => from <= lsn && lsn < to);
  const backup = part && backupsBefore(part, lsn)[0];
  return backup && { backup, timeline, part, stop: { kind: "lsn", lsn }, inclusive };
}

/** Finds groups of records on a timeline, the newest group first. The lines of a group are in the order of the WAL. */
async function* searchBack(facts: WindowFacts, timeline: Timeline, { options, filter }: RecordSearch) {
  const wal = walOf(facts, timeline);
  for (const part of timeline.parts.toReversed()) {
    for (let to = part.to; ; ) {
      const lines = await facts.reader.search(wal, part.from, to, options, filter);
      const [oldest] = lines;
      if (oldest === undefined) break;
      yield { part, lines };
      to = positionIn(oldest);
    }
  }
}

async function findEndOfTransaction(
  facts: WindowFacts,
  timeline: Timeline,
  xid: bigint,
  inclusive: boolean,
): Promise<ChosenPoint | undefined> {
  for await (const { lines } of searchBack(facts, timeline, findTransaction(xid))) {
    const newest = lines.at(-1);
    if (newest !== undefined) return findPosition(timeline, positionIn(newest), inclusive);
  }
  return undefined;
}

/** @throws OperationError (wrong usage) if the name exists more than once */
async function findNamedPoint(
  facts: WindowFacts,
  timeline: Timeline,
  target: Target & { kind: "restore-point" },
  inclusive: boolean,
): Promise<ChosenPoint | undefined> {
  const positions: bigint[] = [];
  for await (const { lines } of searchBack(facts, timeline, findRestorePoint(target.name)))
    positions.push(...lines.map(positionIn).reverse());
  const [newest] = positions;
  if (newest === undefined) return undefined;
  if (positions.length > 1) {
    throw new OperationError(`${describeTarget(target)} exists ${positions.length} times, so it names no one moment.`, {
      hint: `Name its position instead: ${positions.map((lsn) => `--lsn ${formatLsn(lsn)}`).join(" or ")}`,
      exitCode: exitCode.usage,
    });
  }
  return findPosition(timeline, newest, inclusive);
}

/** Finds the position before a migration took effect: its commit, or its start if it runs outside a transaction. */
async function findMigration(
  facts: WindowFacts,
  timeline: Timeline,
  { number, database }: Target & { kind: "before-migration" },
): Promise<ChosenPoint | undefined> {
  const wal = walOf(facts, timeline);
  for await (const { part, lines } of searchBack(facts, timeline, findMigrationMark(number, database))) {
    for (const line of lines.toReversed()) {
      const lsn = positionIn(line);
      if (line.includes("non-transactional")) return findPosition(timeline, lsn, false);
      const { options, filter } = findTransaction(transactionIn(line));
      const ends = await facts.reader.search(wal, lsn, part.to, options, filter);
      const committed = ends.map(parseTransaction).find((each) => each.committed && each.lsn > lsn);
      if (committed !== undefined) return findPosition(timeline, committed.lsn, false);
    }
  }
  return undefined;
}

/**
 * Refuses a target that another timeline has, too, with other contents. Before the position at which two timelines
 * part, they are the same.
 */
async function requireUnambiguous(
  facts: WindowFacts,
  chosen: Timeline,
  request: PointRequest,
  isFound: boolean,
): Promise<void> {
  const others: number[] = [];
  for (const other of facts.state.timelines) {
    if (other.timeline === chosen.timeline) continue;
    const fork = forkOf(chosen.path, other.path);
    const parts = other.parts.filter(({ to }) => to > fork);
    if (parts.length > 0 && (await hasAfter(facts, { ...other, parts }, fork, request))) others.push(other.timeline);
  }
  if (others.length === 0) return;
  const all = [...(isFound ? [chosen.timeline] : []), ...others];
  const where = isFound
    ? `${describeTarget(request.target)} is ambiguous: the timelines ${all.join(" and ")} have different contents at it.`
    : `${describeTarget(request.target)} is not on the current timeline ${chosen.timeline}, but on ${others.join(" and ")}.`;
  throw new OperationError(where, {
    hint: `Choose one: ${all.map((timeline) => `--timeline ${timeline}`).join(" or ")}. \`npm run pgw -- backup window\` shows them.`,
    exitCode: exitCode.usage,
  });
}

/** Returns true if a timeline has its own contents at a target, after the position at which it left the other one. */
async function hasAfter(facts: WindowFacts, timeline: Timeline, fork: bigint, request: PointRequest): Promise<boolean> {
  const found = await findOn(facts, timeline, request);
  if (found === undefined) return false;
  if (found.stop.kind === "lsn") return found.stop.lsn > fork;
  const start = found.part.from > fork ? found.part.from : fork;
  const first = await facts.reader.firstCommit(walOf(facts, timeline), start, found.part.to);
  return first !== undefined && first.at <= found.stop.at;
}

/** Finds the position up to which two timelines are the same. */
export function forkOf(one: readonly TimelineEnd[], other: readonly TimelineEnd[]): bigint {
  let fork = 0n;
  for (const [index, { timeline, end }] of one.entries()) {
    const also = other[index];
    if (also?.timeline !== timeline) break;
    fork = end < also.end ? end : also.end;
    if (end !== also.end) break;
  }
  return fork;
}

async function outside(facts: WindowFacts, timeline: Timeline, target: Target): Promise<OutsideWindow> {
  const ranges: string[] = [];
  let end = { at: 0n, lsn: 0n };
  for (const part of timeline.parts) {
    const [from, to] = [await earliestOf(facts, timeline, part), await latestOf(facts, timeline, part)];
    end = { at: to, lsn: part.to };
    ranges.push(
      target.kind === "lsn"
        ? `${formatLsn(part.from)} to ${formatLsn(part.to)}`
        : `${displayTime(from)} to ${displayTime(to)}`,
    );
  }
  const window = ranges.length === 0 ? "nothing" : `from ${ranges.join(", and from ")}`;
  const message = `${describeTarget(target)} cannot be restored. On timeline ${timeline.timeline}, the backups can restore ${window}.`;
  const isLater = target.kind === "time" ? target.at > end.at : target.kind === "lsn" ? target.lsn >= end.lsn : true;
  return new OutsideWindow(message, "`npm run pgw -- backup window` shows all of it.", isLater);
}

/** Formats a target for messages. */
export function describeTarget(target: Target): string {
  switch (target.kind) {
    case "time":
      return `The time ${displayTime(target.at)}`;
    case "lsn":
      return `The position ${formatLsn(target.lsn)}`;
    case "xid":
      return `The transaction ${target.xid}`;
    case "restore-point":
      return `The restore point "${target.name}"`;
    case "before-migration":
      return `The moment before the migration ${target.number} of the database "${target.database}"`;
  }
}
