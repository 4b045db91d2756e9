import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { FolderLock } from "../../core/folder-lock.ts";
import { OperationError } from "../../core/operation-error.ts";
import { createDump, type DumpOptions, type DumpSource } from "./create.ts";
import type { DumpMetadata } from "./metadata.ts";
import { type DumpPlace, findDue, type LaterDump, nameOfPlanned, type PlannedDump } from "./planned.ts";
import { applyRetention } from "./store.ts";

/** A database to dump, and the command that loads its dumps. */
export type DueTarget = { source: DumpSource } & Pick<DumpOptions, "restoreCommand">;

/** Dumps to make if they are due. */
export interface DueRequest extends DumpPlace, Pick<DumpOptions, "compressed" | "recipients" | "env" | "onStep"> {
  planned: readonly PlannedDump[];
  /** Time in days for which dumps are kept that were not scheduled. */
  retentionDays: number;
  /** Called for each dump that is due. */
  targetOf: (database: string) => Promise<DueTarget>;
  /** Called with each dump as soon as it exists. */
  onMade: (dump: DumpMetadata) => void;
  signal: AbortSignal;
}

/** Result of {@link makeDueDumps}. */
export type DueResult =
  | { outcome: "made"; dumps: DumpMetadata[]; removed: string[] }
  | { outcome: "not due"; later: LaterDump[] }
  /** Another process makes the dumps of this stack. */
  | { outcome: "busy" };

/**
 * Makes the planned dumps that are due, and removes those that are older than their retention time. A dump that cannot
 * be made does not prevent the others.
 *
 * @throws OperationError that names the dumps that could not be made
 */
export async function makeDueDumps(request: DueRequest): Promise<DueResult> {
  const { folder, planned, signal } = request;
  const before = await findDue(request, planned, new Date(), signal);
  if (before.due.length === 0) return { outcome: "not due", later: before.later };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const release = await new FolderLock(folder, dueLockOf(request)).take();
  if (release === undefined) return { outcome: "busy" };
  try {
    // Another process can have made them before it released the lock.
    const { due, later } = await findDue(request, planned, new Date(), signal);
    return due.length === 0 ? { outcome: "not due", later } : await makeAll(request, due);
  } finally {
    await release();
  }
}

/** Returns the path of the lock that the process which makes a stack's dumps holds. */
export function dueLockOf({ folder, source }: DumpPlace): string {
  return join(folder, `.due-${source}.lock`);
}

async function makeAll(request: DueRequest, due: readonly PlannedDump[]): Promise<DueResult> {
  const { folder, retentionDays: days, onMade, signal } = request;
  const [dumps, removed, errors]: [DumpMetadata[], string[], unknown[]] = [[], [], []];
  const failed: string[] = [];
  for (const each of due) {
    try {
      const made = await make(request, each);
      dumps.push(made);
      onMade(made);
      const retention = { days, scheduledDays: each.retentionDays };
      removed.push(...(await applyRetention(folder, made, retention, new Date())));
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error);
      failed.push(`- ${nameOfPlanned(each)}: ${(error as Error).message}`);
    }
  }
  const [first] = errors;
  if (first === undefined) return { outcome: "made", dumps, removed };
  if (due.length === 1) throw first;
  const hint = first instanceof OperationError ? first.hint : undefined;
  throw new OperationError([`${failed.length} of ${due.length} dumps could not be made:`, ...failed].join("\n"), {
    ...(hint === undefined ? {} : { hint }),
    cause: first,
  });
}

async function make(request: DueRequest, { database, scope }: PlannedDump): Promise<DumpMetadata> {
  const { folder, compressed, recipients, env, onStep, signal } = request;
  const { source, restoreCommand } = await request.targetOf(database);
  return createDump(source, {
    ...{ folder, scope, compressed, recipients, env, signal, onStep, restoreCommand },
    ...{ kind: "custom", globals: false, reason: "scheduled", jobs: 1 },
  });
}
