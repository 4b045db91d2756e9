import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { OperationError } from "../../core/operation-error.ts";
import type { RequestedPoint } from "../restore/request.ts";
import type { StackBackups } from "../stack-backups.ts";
import { displayTime } from "../window/microseconds.ts";
import { type BackupWindow, findWindow } from "../window/window.ts";

/** Number of days before the end of the window from which a moment is drawn. */
export const randomDays = 7;

/** Moment that a drill restores. */
export interface DrawnMoment {
  /** UTC with microseconds. */
  at: string;
  point: RequestedPoint;
}

/**
 * Draws a moment of the last days that the backups can restore on the current timeline.
 *
 * @throws OperationError if there is none
 */
export async function drawMoment(docker: Docker, stack: StackBackups): Promise<DrawnMoment> {
  const window = await findWindow(docker, stack);
  const at = drawIn(window, randomDays, randomBytes(8).readBigUInt64BE());
  if (at === undefined)
    throw new OperationError("The backups can restore no moment of the current timeline.", {
      hint: "See `npm run pgw -- backup window`. Without --random, a drill restores everything that is archived.",
    });
  const text = displayTime(at);
  return { at: text, point: { target: { kind: "time", text }, inclusive: true, timeline: window.current } };
}

/**
 * Draws a moment from the restorable ranges of the current timeline, each microsecond with the same probability.
 *
 * @param days only the days before the end of the newest range count
 * @param random uniformly distributed, of 64 bits
 * @returns microseconds since 1970; undefined if there is no such moment
 */
export function drawIn(
  { timelines, current }: Pick<BackupWindow, "timelines" | "current">,
  days: number,
  random: bigint,
): bigint | undefined {
  const ranges = timelines.find(({ timeline }) => timeline === current)?.ranges ?? [];
  const end = ranges.at(-1)?.to.at ?? 0n;
  const oldest = end - BigInt(days) * 86_400_000_000n;
  const parts = ranges
    .map(({ from, to }) => ({ from: from.at > oldest ? from.at : oldest, to: to.at }))
    .filter(({ from, to }) => from <= to);
  const sizes = parts.map(({ from, to }) => to - from + 1n);
  const total = sizes.reduce((sum, size) => sum + size, 0n);
  if (total === 0n) return undefined;
  let left = random % total;
  for (const [index, { from }] of parts.entries()) {
    const size = sizes[index] ?? 0n;
    if (left < size) return from + left;
    left -= size;
  }
  return undefined;
}
