import type { DumpScope } from "../../model/dump-plan.ts";

/** A dump with the facts that figures need. */
interface CountedDump {
  state: string;
  /** Omitted if it cannot be read. */
  metadata?: {
    source: string;
    database: string;
    scope: DumpScope;
    bytes: number;
    finishedAt: string;
    durationMs: number;
  };
  validation?: { state: string; at: string };
}

/** Figures about the dumps of one database and scope. */
export interface DumpStats {
  source: string;
  database: string;
  /** `full`, or `schema` for dumps without rows. */
  scope: DumpScope;
  dumps: number;
  intact: number;
  bytes: number;
  /** ISO 8601. null if no dump is intact. */
  newest: string | null;
  oldest: string | null;
  /** Time of the newest dump that was loaded successfully. null if none was. */
  lastPassed: string | null;
  averageMs: number;
}

/** Summarises dumps by database and scope. Dumps without a readable description are left out. */
export function statsOf(dumps: readonly CountedDump[]): DumpStats[] {
  const groups = Map.groupBy(
    dumps.filter(({ metadata }) => metadata !== undefined),
    ({ metadata }) => `${metadata?.source} ${metadata?.database} ${metadata?.scope}`,
  );
  return [...groups.values()].map((group) => {
    const intact = group.filter(({ state }) => state === "intact");
    const times = intact.flatMap(({ metadata }) => metadata?.finishedAt ?? []).sort();
    const passed = intact.flatMap(({ validation }) => (validation?.state === "passed" ? [validation.at] : [])).sort();
    const sum = (of: (dump: CountedDump) => number) => group.reduce((total, each) => total + of(each), 0);
    return {
      source: group[0]?.metadata?.source ?? "",
      database: group[0]?.metadata?.database ?? "",
      scope: group[0]?.metadata?.scope ?? "full",
      dumps: group.length,
      intact: intact.length,
      bytes: sum(({ metadata }) => metadata?.bytes ?? 0),
      newest: times.at(-1) ?? null,
      oldest: times[0] ?? null,
      lastPassed: passed.at(-1) ?? null,
      averageMs: Math.round(sum(({ metadata }) => metadata?.durationMs ?? 0) / group.length),
    };
  });
}
