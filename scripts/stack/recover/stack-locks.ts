import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAbsent } from "../../core/absent.ts";
import { describeHolder, holderState, type LockHolder } from "../lock-holder.ts";
import { projectName } from "../project.ts";
import type { Stack } from "../stack.ts";
import { stateFolder } from "../state-folder.ts";
import type { StackLeftover } from "./leftover.ts";

/** A lock of the engine on a stack: a file that names its holder. */
export interface EngineLock {
  path: string;
  /** undefined if the file names no holder. */
  holder: LockHolder | undefined;
  /** True if the writer ended before the file was complete. Such a lock has no holder, but the engine fails on it. */
  unfinished: boolean;
}

/** Time limit in ms for writing a lock. One that is older and incomplete stays incomplete. */
const writtenWithin = 3_000;

/**
 * Lists the locks on a stack whose state is in a local folder (`.pulumi`). The engine treats every file there as a
 * lock, including half-written ones (`<id>.json.<hex>.tmp`). A file that may still be being written is awaited.
 */
export async function engineLocks(state: string, project: string, stack: string): Promise<EngineLock[]> {
  const folder = join(state, "locks", "organization", project, stack);
  const names = (await unlessAbsent(readdir(folder))) ?? [];
  const locks = await Promise.all(
    names.filter((name) => !name.endsWith(".attrs")).map((name) => settled(folder, name)),
  );
  return locks.filter((lock) => lock !== undefined);
}

/** Returns true if the holder of one of the locks may still be at work. */
export function isInUse(locks: readonly EngineLock[]): boolean {
  return locks.some(
    ({ holder, unfinished }) => !unfinished && (holder === undefined || holderState(holder) !== "gone"),
  );
}

/** Lists the leftovers about locks. Locks of processes that are gone are removed; all others are only reported. */
export function lockLeftovers(stack: string, locks: readonly EngineLock[]): StackLeftover[] {
  return locks.map((lock) => lockLeftover(stack, lock));
}

/**
 * Removes the locks on a stack whose processes are gone.
 *
 * @returns true if one was removed; false if there is none, or if the state is not on this machine
 */
export async function removeLeftLocks(stack: Stack, env: NodeJS.ProcessEnv): Promise<boolean> {
  const folder = stateFolder(stack, env);
  if (folder === undefined) return false;
  const locks = await engineLocks(folder, await projectName(stack.root), stack.name);
  let removed = false;
  for (const { act } of lockLeftovers(stack.name, locks)) if ((await act?.()) === true) removed = true;
  return removed;
}

function lockLeftover(stack: string, { path, holder, unfinished }: EngineLock): StackLeftover {
  const kind = "engine-lock";
  if (unfinished)
    return {
      kind,
      found: `a lock on stack "${stack}" is incomplete: ${path}`,
      action: "remove the lock",
      act: async () => {
        const unfinishedStill = (await read(path))?.unfinished === true;
        if (unfinishedStill) await remove(path);
        return unfinishedStill;
      },
    };
  const byHand = `If it was killed: delete ${path}.`;
  if (holder === undefined)
    return {
      kind,
      found: `the holder of a lock on stack "${stack}" is not known: ${path}`,
      advice: `Wait for it to end. ${byHand}`,
    };
  const who = describeHolder(holder);
  switch (holderState(holder)) {
    case "gone":
      return {
        kind,
        found: `stack "${stack}" is locked by ${who}, a process that is gone`,
        action: "remove the lock",
        act: () => takeAway({ path, holder }),
      };
    case "living":
      return { kind, found: `another run works on stack "${stack}": ${who}`, advice: "Wait for it to end." };
    case "elsewhere":
      return {
        kind,
        found: `stack "${stack}" is locked by a process on another machine, which may still run: ${who}`,
        advice: `Wait for it to end. ${byHand}`,
      };
  }
}

async function takeAway({ path, holder }: { path: string; holder: LockHolder }): Promise<boolean> {
  // Checked again, because the file may have been rewritten since, and the pid may now be that of an engine.
  const now = (await read(path))?.holder ?? holder;
  const isGone = holderState(now) === "gone";
  if (isGone) await remove(path);
  return isGone;
}

/** Removes a lock. Its name is unique, so this never removes the lock of another run. */
async function remove(path: string): Promise<void> {
  const named = path.replace(/\.[\da-f]+\.tmp$/, "");
  for (const each of [path, `${named}.attrs`]) await rm(each, { force: true });
}

/** Reads a lock once it can no longer be in the middle of being written. */
async function settled(folder: string, name: string): Promise<EngineLock | undefined> {
  const path = join(folder, name);
  const lock = await read(path);
  if (!lock?.unfinished) return lock;
  const { mtimeMs } = (await unlessAbsent(stat(path))) ?? { mtimeMs: 0 };
  const left = mtimeMs + writtenWithin - Date.now();
  if (left <= 0) return lock;
  // Bounded, even if the clock was changed.
  await sleep(Math.min(left, writtenWithin));
  return read(path);
}

async function read(path: string): Promise<EngineLock | undefined> {
  const text = await unlessAbsent(readFile(path, "utf8"));
  return text === undefined ? undefined : { path, holder: holderIn(text), unfinished: !isWhole(text) };
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Parses a lock's holder: `{"pid":1,"username":"ana","hostname":"host","timestamp":"2026-11-21T07:21:33Z"}` */
export function holderIn(text: string): LockHolder | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { pid, username, hostname, timestamp } = (content ?? {}) as Record<string, unknown>;
  if (typeof pid !== "number" || typeof hostname !== "string") return undefined;
  return { user: String(username), host: hostname, pid, since: String(timestamp) };
}
