import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { leadsNowhere, unlessAbsent, unlessAbsentSync } from "./absent.ts";
import { processExists } from "./process-exists.ts";

/*
 * Files that the kit writes beside their final path and renames when they are complete have names of one pattern:
 *
 *   <name>.<pid>-<start>-<machine>-<random>.pgw-tmp
 *
 * The name contains the process that writes the file. So a cleanup finds what killed processes left, and never removes
 * a file that a running process is writing.
 */

/** The process that writes a temporary file, as in the file's name. */
interface Writer {
  pid: number;
  /** Start time of the process in clock ticks since boot, because pids are reused. Empty if unknown. */
  started: string;
  /** Id of the machine and its process namespace. */
  machine: string;
}

const pattern = /\.(\d+)-(\d*)-([\da-f]{8})-[\da-f]{8}\.pgw-tmp$/;

/**
 * Time in ms without a change after which a writer counts as dead if it cannot be checked: it is on another machine, or
 * the system does not report start times.
 */
const unchangedForMs = 10 * 60_000;

/** Returns the name for a temporary file or folder of this process, beside its final path. */
export function temporaryFor(path: string): string {
  return `${path}.${process.pid}-${startOf(process.pid) ?? ""}-${machine()}-${randomBytes(4).toString("hex")}.pgw-tmp`;
}

/** Returns true if a name is that of a temporary file or folder, of any process. */
export function isTemporary(name: string): boolean {
  return pattern.test(name);
}

/** Lists the temporary files and folders in a folder whose writer is gone. Empty if the folder does not exist. */
export async function leftTemporaries(folder: string): Promise<string[]> {
  const names = (await unlessAbsent(readdir(folder), leadsNowhere)) ?? [];
  const left: string[] = [];
  for (const name of names) if (await isLeft(folder, name)) left.push(join(folder, name));
  return left;
}

/**
 * Removes the files that {@link leftTemporaries} finds, or only those written for one path.
 *
 * @returns the removed paths
 */
export async function removeLeftTemporaries(folder: string, path?: string): Promise<string[]> {
  const left = (await leftTemporaries(folder)).filter((each) => path === undefined || targetOf(each) === path);
  for (const each of left) await remove(each);
  return left;
}

/** Removes what killed processes left of earlier attempts to write a path. */
export async function removeLeftOf(path: string): Promise<string[]> {
  return removeLeftTemporaries(dirname(path), path);
}

/**
 * Removes a temporary file or folder if its writer is still gone.
 *
 * @returns true if it was removed
 */
export async function removeIfLeft(path: string): Promise<boolean> {
  const left = await isLeft(dirname(path), basename(path));
  if (left) await remove(path);
  return left;
}

/** Retries, because a program that the writer started may still put files into a folder. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5 });
}

/** Returns the final path of a temporary file or folder. */
export function targetOf(temporary: string): string {
  return temporary.replace(pattern, "");
}

async function isLeft(folder: string, name: string): Promise<boolean> {
  const writer = writerOf(name);
  if (writer === undefined) return false;
  const state = stateOf(writer);
  if (state === "living" || !(await belongsToUser(join(folder, name)))) return false;
  if (state === "gone") return true;
  const changed = await lastChange(join(folder, name));
  return changed !== undefined && Date.now() - changed > unchangedForMs;
}

/**
 * Returns true if this user may remove it. Users share folders for temporary files; only root removes files of others.
 */
async function belongsToUser(path: string): Promise<boolean> {
  const user = process.getuid?.();
  return user === undefined || user === 0 || (await unlessAbsent(lstat(path)))?.uid === user;
}

/** Parses the writer from a file's name; undefined if it is not the name of a temporary file. */
function writerOf(name: string): Writer | undefined {
  const [, pid, started = "", writerMachine = ""] = pattern.exec(name) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), started, machine: writerMachine };
}

function stateOf(writer: Writer): "living" | "gone" | "unknown" {
  if (writer.machine !== machine()) return "unknown";
  if (!processExists(writer.pid)) return "gone";
  const started = startOf(writer.pid);
  if (started === undefined || writer.started === "") return "unknown";
  return started === writer.started ? "living" : "gone";
}

/**
 * Returns the start time of a process; undefined if the system does not report it. Returns an empty text for a zombie.
 */
function startOf(pid: number): string | undefined {
  // `pid (name) state parent …`: the start time is the 22nd field. The name can contain parentheses.
  const read = () => readFileSync(`/proc/${pid}/stat`, "utf8");
  const stat = unlessAbsentSync(read, () => true);
  if (stat === undefined) return undefined;
  const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" || state === "X" ? "" : rest[18];
}

let ownMachine: string | undefined;

/** Returns an id of this machine and process namespace, because process ids are valid only within them. */
function machine(): string {
  ownMachine ??= createHash("sha256").update(`${hostname()} ${ownNamespace()}`).digest("hex").slice(0, 8);
  return ownMachine;
}

function ownNamespace(): string {
  const link = () => readlinkSync("/proc/self/ns/pid");
  return unlessAbsentSync(link, () => true) ?? "";
}

/**
 * Returns the time in ms since 1970 at which a file, or anything in a folder, last changed; undefined if it is gone.
 */
async function lastChange(path: string): Promise<number | undefined> {
  const found = await unlessAbsent(lstat(path));
  if (!found?.isDirectory()) return found?.mtimeMs;
  const names = (await unlessAbsent(readdir(path))) ?? [];
  const changes = await Promise.all(names.map((name) => lastChange(join(path, name))));
  return Math.max(found.mtimeMs, ...changes.map((change) => change ?? 0));
}
