import { createReadStream } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAbsent } from "../files/absent.ts";

/** How much of a file's end is read for its last lines at first, in bytes; four times as much where it holds too few. */
const firstTail = 64 * 1024;
/** How far back lines are looked for at most, in bytes: a log of any size fits into memory by this. */
const longestTail = 64 * 1024 * 1024;

interface LogFile {
  path: string;
  size: number;
  mtimeMs: number;
}

/** The log files, the one written to last at the end; none where there is no folder. */
async function logFiles(logDirectory: string): Promise<LogFile[]> {
  const names = (await unlessAbsent(readdir(logDirectory))) ?? [];
  const files: LogFile[] = [];
  for (const name of names.filter((entry) => entry.endsWith(".log"))) {
    const path = join(logDirectory, name);
    const found = await unlessAbsent(stat(path));
    if (found !== undefined) files.push({ path, size: found.size, mtimeMs: found.mtimeMs });
  }
  return files.sort((a, b) => a.mtimeMs - b.mtimeMs);
}

/** How long each log file was at a moment, in bytes, by its path: what is written after that can be told by it. */
export type LogMark = ReadonlyMap<string, number>;

/** The log as it is now. */
export async function markLog(logDirectory: string): Promise<LogMark> {
  return new Map((await logFiles(logDirectory)).map(({ path, size }) => [path, size]));
}

/** Where in a file that what was written after a mark begins. A file that was truncated since is new from its start. */
function newFrom({ path, size }: LogFile, mark: LogMark): number {
  const known = mark.get(path) ?? 0;
  return size < known ? 0 : known;
}

/**
 * The last lines of what the server logged, oldest first; none where there is no log. Reads the end of the file only, and no further back than
 * 64 MiB: whole lines, fewer than `count` where no more lie within.
 *
 * @param since only what was written after it
 */
export async function lastLines(logDirectory: string, count: number, since: LogMark = new Map()): Promise<string[]> {
  const files = await logFiles(logDirectory);
  const newest = files.findLast((file) => file.size > newFrom(file, since));
  if (newest === undefined) return [];
  const first = newFrom(newest, since);
  const file = await open(newest.path);
  try {
    const { size } = await file.stat();
    for (let length = firstTail; ; length *= 4) {
      const start = Math.max(first, size - length);
      const lines = await linesFrom(file, start, size, start === first);
      if (lines.length >= count || start === first || length >= longestTail) return lines.slice(-count);
    }
  } finally {
    await file.close();
  }
}

/**
 * The whole lines between two places of a file: what stands before the first line break is a line's end.
 *
 * @param fromLine a line begins at the first place
 */
async function linesFrom(file: FileHandle, start: number, end: number, fromLine: boolean): Promise<string[]> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(end - start), 0, end - start, start);
  const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
  return fromLine ? lines : lines.slice(1);
}

/** How often a followed log is looked at, in ms. */
const followEvery = 250;

/**
 * Hands over what the server logs from now on, until the signal fires. Goes along when the server changes to another file, and back.
 *
 * @param every how often to look, in ms
 */
export async function followLog(
  logDirectory: string,
  onText: (text: string) => void,
  signal: AbortSignal,
  every: number = followEvery,
): Promise<void> {
  // Of every file, since a restart goes to one that may hold much already, and back again.
  const handedOver = new Map(await markLog(logDirectory));
  while (await pause(every, signal)) {
    // The one written to last comes last: a file's rest precedes what stands in the next one.
    for (const file of await logFiles(logDirectory)) {
      const start = newFrom(file, handedOver);
      if (file.size > start) await handOver(file.path, start, file.size, onText);
      handedOver.set(file.path, file.size);
    }
  }
}

/** Waits; true when the time is over, false as soon as the signal fires. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

async function handOver(path: string, start: number, end: number, onText: (text: string) => void): Promise<void> {
  const reading = async () => {
    for await (const chunk of createReadStream(path, { start, end: end - 1, encoding: "utf8" })) onText(String(chunk));
  };
  await unlessAbsent(reading());
}
