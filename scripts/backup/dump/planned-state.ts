import { ageInSeconds, ago, duration } from "../../core/age.ts";
import { dumpMaxAge } from "../../model/dump-plan.ts";
import type { BackupFinding } from "../findings.ts";
import { countedDumps, type DumpPlace, nameOfPlanned, type PlannedDump } from "./planned.ts";
import { listDumps, type StoredDump } from "./store.ts";

/**
 * Finds planned dumps that are overdue. The sizes of the dumps' files are compared with their metadata, the checksums
 * are not.
 */
export async function findOverdue(
  { folder, source }: DumpPlace,
  planned: readonly PlannedDump[],
  now: Date,
): Promise<BackupFinding[]> {
  return judgeDumps(await listDumps(folder, undefined, "sizes"), { folder, source }, planned, now);
}

/** Compares the newest intact dumps with their plan. */
export function judgeDumps(
  dumps: readonly StoredDump[],
  { folder, source }: DumpPlace,
  planned: readonly PlannedDump[],
  now: Date,
): BackupFinding[] {
  const hint = "Make the dumps: `npm run pgw -- backup dump --due`.";
  return planned.flatMap((each): BackupFinding[] => {
    const name = nameOfPlanned(each);
    const [newest] = countedDumps(dumps, source, each, now);
    if (newest === undefined)
      return [{ level: "unknown", text: `There is no intact dump of ${name} in ${folder}.`, hint }];
    const { startedAt } = newest.metadata;
    const [age, allowed] = [ageInSeconds(startedAt, now), dumpMaxAge(each)];
    if (age <= allowed) return [];
    const text = `The last intact dump of ${name} started at ${startedAt}, ${ago(age)}; at most ${duration(allowed)} are allowed.`;
    return [{ level: "wrong", text, hint }];
  });
}
