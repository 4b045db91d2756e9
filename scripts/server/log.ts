import { createReadStream } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAbsent } from "../core/absent.ts";

/** Size of the first read from a file's end, in bytes. Each further attempt reads four times as much. */
const firstTail = 64 * 1024;
/** Maximum number of bytes that are searched for lines. It bounds the memory for a log of any size. */
const longestTail = 64 * 1024 * 1024;

interface LogFile {
  path: string;
  size: number;
  mtimeMs: number;
}

/** Lists the log files, the most recently written one last. Returns none if the folder does not exist. */
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

/** Sizes of the log files at a moment, in bytes by path. They show what was written later. */
export type LogMark = ReadonlyMap<string, number>;

/** Returns the current sizes of the log files. */
export async function markLog(logDirectory: string): Promise<LogMark> {
  return new Map((await logFiles(logDirectory)).map(({ path, size }) => [path, size]));
}

/**
 * Returns the offset in a file at which text written after a mark begins. A file that was truncated since the mark is
 * all new.
 */
function newFrom({ path, size }: LogFile, mark: LogMark): number {
  const known = mark.get(path) ?? 0;
  return size < known ? 0 : known;
}

/**
 * Returns the last lines of the server's log, oldest first, or none if there is no log. It reads only the end of the
 * file, at most 64 MiB. If this part has fewer than `count` complete lines, it returns those.
 *
 * @param since only lines written after this mark
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
 * Reads the complete lines in a range of a file. Text before the first line break is the end of a line that began
 * earlier.
 *
 * @param fromLine true if a line begins at `start`
 */
async function linesFrom(file: FileHandle, start: number, end: number, fromLine: boolean): Promise<string[]> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(end - start), 0, end - start, start);
  const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
  return fromLine ? lines : lines.slice(1);
}

/** Default polling interval of a followed log, in ms. */
const followEvery = 250;

/**
 * Passes on new text in the server's log until the signal fires. It follows the server from one file to another and
 * back.
 *
 * @param every polling interval, in ms
 */
export async function followLog(
  logDirectory: string,
  onText: (text: string) => void,
  signal: AbortSignal,
  every: number = followEvery,
): Promise<void> {
  // Sizes of all files, because a restart may switch to a file with older content, and back again.
  const handedOver = new Map(await markLog(logDirectory));
  while (await pause(every, signal)) {
    // The most recently written file comes last, so that the rest of one file precedes the text in the next one.
    for (const file of await logFiles(logDirectory)) {
      const start = newFrom(file, handedOver);
      if (file.size > start) await handOver(file.path, start, file.size, onText);
      handedOver.set(file.path, file.size);
    }
  }
}

/** Waits. Returns true when the time is over, false as soon as the signal fires. */
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
