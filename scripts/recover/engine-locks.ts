import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unlessAbsent } from "../files/absent.ts";
import { describeHolder, holderState, type LockHolder } from "../stack/lock-holder.ts";
import type { Finding } from "./finding.ts";

/** A lock of the engine on a stack: a file that names who took it. */
export interface EngineLock {
  path: string;
  /** undefined: the file does not say. */
  holder: LockHolder | undefined;
  /** Whether who wrote it ended in between: nobody holds the stack by it, and the engine trips over it. */
  unfinished: boolean;
}

/** A lock takes a moment to write; one that is not whole at this age, in ms, never will be. */
const writtenWithin = 3_000;

/**
 * The locks on a stack whose state is kept in a folder (`.pulumi`) of this machine. The engine reads every file there as one, half-written ones
 * (`<id>.json.<hex>.tmp`) among them; what may be being written is waited for.
 */
export async function engineLocks(state: string, project: string, stack: string): Promise<EngineLock[]> {
  const folder = join(state, "locks", "organization", project, stack);
  const names = (await unlessAbsent(readdir(folder))) ?? [];
  const locks = await Promise.all(
    names.filter((name) => !name.endsWith(".attrs")).map((name) => settled(folder, name)),
  );
  return locks.filter((lock) => lock !== undefined);
}

/** Whether somebody may be at work under one of the locks. */
export function isInUse(locks: readonly EngineLock[]): boolean {
  return locks.some(
    ({ holder, unfinished }) => !unfinished && (holder === undefined || holderState(holder) !== "gone"),
  );
}

/** What is to be done about locks: those of processes that are gone are taken away, all others only named. */
export function lockFindings(stack: string, locks: readonly EngineLock[]): Finding[] {
  return locks.map((lock) => lockFinding(stack, lock));
}

function lockFinding(stack: string, { path, holder, unfinished }: EngineLock): Finding {
  const kind = "engine-lock";
  if (unfinished)
    return {
      kind,
      found: `a lock on stack "${stack}" was never written to its end: ${path}`,
      action: "take it away",
      act: async () => {
        if ((await read(path))?.unfinished) await remove(path);
      },
    };
  const byHand = `If it was killed: delete ${path}.`;
  if (holder === undefined)
    return {
      kind,
      found: `could not tell who holds stack "${stack}": ${path}`,
      advice: `Wait for it to end. ${byHand}`,
    };
  const who = describeHolder(holder);
  switch (holderState(holder)) {
    case "gone":
      return {
        kind,
        found: `stack "${stack}" is locked by ${who}, a process that is gone`,
        action: "take the lock away",
        act: () => takeAway({ path, holder }),
      };
    case "living":
      return { kind, found: `another run works on stack "${stack}": ${who}`, advice: "Wait for it to end." };
    case "elsewhere":
      return {
        kind,
        found: `another machine holds stack "${stack}", which cannot be told dead from here: ${who}`,
        advice: `Wait for it to end. ${byHand}`,
      };
  }
}

async function takeAway({ path, holder }: { path: string; holder: LockHolder }): Promise<void> {
  if (holderState(holder) === "gone") await remove(path);
}

/** Its name is no other lock's ever, so nobody else's can be taken. */
async function remove(path: string): Promise<void> {
  const named = path.replace(/\.[\da-f]+\.tmp$/, "");
  for (const each of [path, `${named}.attrs`]) await rm(each, { force: true });
}

/** A lock as it is once nobody can be writing it any more. */
async function settled(folder: string, name: string): Promise<EngineLock | undefined> {
  const path = join(folder, name);
  const lock = await read(path);
  if (!lock?.unfinished) return lock;
  const { mtimeMs } = (await unlessAbsent(stat(path))) ?? { mtimeMs: 0 };
  const left = mtimeMs + writtenWithin - Date.now();
  if (left <= 0) return lock;
  // No longer than that, whatever the clock has done since.
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

/** `{"pid":1,"username":"ana","hostname":"host","timestamp":"2026-11-21T07:21:33Z"}` */
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
