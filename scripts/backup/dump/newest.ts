import { ageInSeconds } from "../../core/age.ts";
import type { DumpScope } from "../../model/dump-plan.ts";
import type { BackupFinding } from "../findings.ts";
import { type DescribedDump, nameOfPlanned } from "./planned.ts";
import type { StoredDump } from "./store.ts";

/** Location of a dump: `BACKUP_DIR`, or the volume of the stack's scheduled dumps. */
export type DumpLocation = "folder" | "volume";

/** The newest intact dump of a database and scope in one location. */
export interface NewestDump {
  id: string;
  location: DumpLocation;
  database: string;
  scope: DumpScope;
  reason: string;
  /** ISO 8601. */
  finishedAt: string;
  ageSeconds: number;
  bytes: number;
  encrypted: boolean;
  /** Result of loading it into a scratch cluster, as far as it was tried: `passed`, or null. */
  validated: "passed" | null;
}

/** Returns the newest intact dump of each database and scope of a stack. Dumps without rows are listed apart. */
export function newestDumps(
  dumps: readonly StoredDump[],
  { source, location, now }: { source: string; location: DumpLocation; now: Date },
): NewestDump[] {
  const own = dumps
    .filter((dump): dump is DescribedDump => dump.state === "intact" && dump.metadata?.source === source)
    .toSorted((a, b) => (a.metadata.finishedAt < b.metadata.finishedAt ? 1 : -1));
  const groups = Map.groupBy(own, ({ metadata }) => nameOfPlanned(metadata));
  return [...groups.keys()].toSorted().flatMap((name) =>
    (groups.get(name) ?? []).slice(0, 1).map(({ id, metadata, validation }) => {
      const { database, scope, reason, finishedAt, bytes, recipients } = metadata;
      return {
        ...{ id, location, database, scope, reason, finishedAt, bytes },
        ageSeconds: Math.round(ageInSeconds(finishedAt, now)),
        encrypted: recipients.length > 0,
        validated: validation?.state === "passed" ? ("passed" as const) : null,
      };
    }),
  );
}

/** Finds damaged dumps of a stack, and those whose description cannot be read, which may be another one's. */
export function findDamagedDumps(dumps: readonly StoredDump[], source: string, where: string): BackupFinding[] {
  return dumps.flatMap(({ id, state, reasons, metadata }): BackupFinding[] => {
    if (metadata !== undefined && metadata.source !== source) return [];
    if (state !== "damaged" && state !== "unknown") return [];
    const text = `The dump ${id} in ${where} is ${state === "damaged" ? "damaged" : "not known"}: ${reasons.join("; ")}.`;
    return [
      { level: state === "damaged" ? "wrong" : "unknown", text, hint: "Do not load it. Retention removes old dumps." },
    ];
  });
}
