import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How much of a file's end is read for its last lines, in bytes. */
const tailBytes = 64 * 1024;

/** The file that the server wrote to last; undefined where it never wrote any. */
export async function newestLog(logDirectory: string): Promise<string | undefined> {
  let entries: string[];
  try {
    entries = await readdir(logDirectory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let newest: { path: string; mtimeMs: number } | undefined;
  for (const entry of entries.filter((name) => name.endsWith(".log"))) {
    const path = join(logDirectory, entry);
    const { mtimeMs, size } = await stat(path);
    if (size > 0 && (newest === undefined || mtimeMs > newest.mtimeMs)) newest = { path, mtimeMs };
  }
  return newest?.path;
}

/** The last lines of what the server logged, oldest first; none where there is no log. Reads the end of the file only. */
export async function lastLines(logDirectory: string, count: number): Promise<string[]> {
  const path = await newestLog(logDirectory);
  if (path === undefined) return [];
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n").slice(-count);
  } finally {
    await file.close();
  }
}

/** How often a followed log is looked at, in ms. */
const followEvery = 250;

/** Hands over what the server logs from now on, until the signal fires. Goes along when the server changes to another file. */
export async function followLog(
  logDirectory: string,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let path = await newestLog(logDirectory);
  let offset = path === undefined ? 0 : (await stat(path)).size;
  while (!signal.aborted) {
    await sleep(followEvery);
    const newest = await newestLog(logDirectory);
    if (newest === undefined) continue;
    if (newest !== path) offset = 0;
    path = newest;
    offset = await readFrom(path, offset, onText);
  }
}

/** Reads a file's new end and answers where it ends now. A file that was truncated is read from its start. */
async function readFrom(path: string, offset: number, onText: (text: string) => void): Promise<number> {
  const { size } = await stat(path);
  const start = size < offset ? 0 : offset;
  if (size === start) return size;
  for await (const chunk of createReadStream(path, { start, end: size - 1, encoding: "utf8" })) onText(String(chunk));
  return size;
}
