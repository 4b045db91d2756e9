import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeHolder, holderState, type LockHolder } from "../stack/lock-holder.ts";
import type { Finding } from "./finding.ts";

/** A lock of the engine on a stack: a file that names who took it. */
export interface EngineLock {
  path: string;
  /** undefined: the file does not say. */
  holder: LockHolder | undefined;
}

/** The locks on a stack whose state is kept in a folder (`.pulumi`) of this machine. */
export async function engineLocks(state: string, project: string, stack: string): Promise<EngineLock[]> {
  const folder = join(state, "locks", "organization", project, stack);
  const names = await readdir(folder).catch(ifAbsent([]));
  const locks = await Promise.all(names.filter((name) => name.endsWith(".json")).map((name) => read(folder, name)));
  return locks.filter((lock) => lock !== undefined);
}

/** Whether somebody may be at work under one of the locks. */
export function isInUse(locks: readonly EngineLock[]): boolean {
  return locks.some(({ holder }) => holder === undefined || holderState(holder) !== "gone");
}

/** What is to be done about locks: those of processes that are gone are taken away, all others only named. */
export function lockFindings(stack: string, locks: readonly EngineLock[]): Finding[] {
  return locks.map((lock) => lockFinding(stack, lock));
}

function lockFinding(stack: string, { path, holder }: EngineLock): Finding {
  const kind = "engine-lock";
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

/** Its name is no other lock's ever, so nobody else's can be taken. */
async function takeAway({ path, holder }: { path: string; holder: LockHolder }): Promise<void> {
  if (holderState(holder) !== "gone") return;
  await rm(path, { force: true });
  await rm(`${path}.attrs`, { force: true });
}

async function read(folder: string, name: string): Promise<EngineLock | undefined> {
  const path = join(folder, name);
  const text = await readFile(path, "utf8").catch(ifAbsent(undefined));
  return text === undefined ? undefined : { path, holder: holderIn(text) };
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

function ifAbsent<Other>(other: Other) {
  return (error: NodeJS.ErrnoException): Other => {
    if (error.code === "ENOENT") return other;
    throw error;
  };
}
