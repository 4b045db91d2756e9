import { ageInSeconds, isInFuture } from "../../core/age.ts";
import { type DumpPlan, type DumpSchedule, type DumpScope, scheduledScopes } from "../../model/dump-plan.ts";
import { nextMoment } from "../../model/schedule.ts";
import type { DumpMetadata } from "./metadata.ts";
import { listDumps, readDump, type StoredDump } from "./store.ts";

/** Dumps of one database and scope, as a plan has them. */
export interface PlannedDump extends DumpSchedule {
  database: string;
  scope: DumpScope;
}

/** A planned dump that is not due. */
export interface LaterDump extends Pick<PlannedDump, "database" | "scope"> {
  /** Name of the newest intact dump. */
  newest: string;
  /** Next moment of the schedule, ISO 8601. */
  next: string;
}

/** Dumps of a stack, and where they are. */
export interface DumpPlace {
  /** Folder of all dumps. */
  folder: string;
  /** Name of the stack. */
  source: string;
}

/** Returns the dumps that a plan has of some databases. */
export function plannedDumps(plan: DumpPlan, databases: readonly string[]): PlannedDump[] {
  return databases.flatMap((database) => scheduledScopes(plan).map((each) => ({ database, ...each })));
}

/** Names planned dumps in messages: `trading`, or `trading (schema only)`. */
export function nameOfPlanned({ database, scope }: Pick<PlannedDump, "database" | "scope">): string {
  return scope === "schema" ? `${database} (schema only)` : database;
}

/** A dump with a readable description. */
export type DescribedDump = StoredDump & { metadata: DumpMetadata };

/**
 * Returns the intact dumps that count for a plan, newest first: those that were scheduled or requested. A dump from
 * before a load or a revert has the database as it is no more. One whose time is in the future has no age.
 */
export function countedDumps(
  dumps: readonly StoredDump[],
  source: string,
  { database, scope }: Pick<PlannedDump, "database" | "scope">,
  now: Date,
): DescribedDump[] {
  return dumps
    .filter((dump): dump is DescribedDump => {
      const { state, metadata } = dump;
      return (
        state === "intact" &&
        metadata?.source === source &&
        metadata.database === database &&
        metadata.scope === scope &&
        (metadata.reason === "scheduled" || metadata.reason === "requested") &&
        !isInFuture(ageInSeconds(metadata.startedAt, now))
      );
    })
    .toSorted((a, b) => (a.metadata.startedAt < b.metadata.startedAt ? 1 : -1));
}

/**
 * Splits planned dumps into those that are due and those that are not. One is due if its schedule had a moment since
 * the newest intact dump began. The checksums of that dump are compared only if it would make the next one not due.
 */
export async function findDue(
  { folder, source }: DumpPlace,
  planned: readonly PlannedDump[],
  now: Date,
  signal?: AbortSignal,
): Promise<{ due: PlannedDump[]; later: LaterDump[] }> {
  const dumps = await listDumps(folder, signal, "sizes");
  const [due, later]: [PlannedDump[], LaterDump[]] = [[], []];
  for (const each of planned) {
    const found = await findLater(folder, countedDumps(dumps, source, each, now), each, now, signal);
    if (found === undefined) due.push(each);
    else later.push(found);
  }
  return { due, later };
}

/** @returns undefined if the dump is due */
async function findLater(
  folder: string,
  counted: readonly DescribedDump[],
  { database, scope, schedule }: PlannedDump,
  now: Date,
  signal?: AbortSignal,
): Promise<LaterDump | undefined> {
  for (const { id, metadata } of counted) {
    const next = nextMoment(schedule, new Date(metadata.startedAt));
    if (next === undefined || next <= now) return undefined;
    if ((await readDump(folder, id, signal))?.state === "intact")
      return { database, scope, newest: id, next: next.toISOString() };
  }
  return undefined;
}
