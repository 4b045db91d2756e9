import type { Command } from "commander";
import type { StoredDump } from "../../../backup/dump/store.ts";
import { duration } from "../../../backup/findings.ts";
import { action, type CommandContext } from "../../context.ts";
import { dumpSettings } from "../../dump-target.ts";
import { databaseOption, jsonOption, stackOption } from "../../options.ts";
import { table } from "../../table.ts";
import { bytes } from "../backup/texts.ts";
import { readSelected, type SelectionOptions } from "./list.ts";

/** Figures about the dumps of one database. */
interface DumpStats {
  source: string;
  database: string;
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

export function registerDumpsStats(dumps: Command): void {
  dumps
    .command("stats")
    .description("show number, size, age and duration of the dumps of each database")
    .addOption(stackOption("only dumps of this stack"))
    .addOption(databaseOption("only dumps of this database"))
    .addOption(jsonOption())
    .action(action<SelectionOptions, []>(stats));
}

async function stats(context: CommandContext, options: SelectionOptions): Promise<undefined> {
  const { folder, retentionDays } = dumpSettings(context);
  const found = statsOf(await readSelected(context, options, folder));
  const now = Date.now();
  context.out.answer({ folder, retentionDays, databases: found }, () => {
    if (found.length === 0) return `no dumps in ${folder}`;
    const age = (time: string | null) => (time === null ? "none" : duration((now - Date.parse(time)) / 1_000));
    const rows = found.map((each) => [
      `${each.database} of ${each.source}`,
      `${each.intact} of ${each.dumps}`,
      bytes(each.bytes),
      age(each.newest),
      age(each.oldest),
      age(each.lastPassed),
      `${(each.averageMs / 1_000).toFixed(1)} s`,
    ]);
    const heads = ["database", "intact", "size", "newest", "oldest", "last validated", "takes"];
    return [table(heads, rows), `kept for ${retentionDays} days in ${folder}`].join("\n");
  });
  return undefined;
}

/** Summarises dumps by database. Dumps without a readable description are left out. */
export function statsOf(dumps: readonly StoredDump[]): DumpStats[] {
  const groups = Map.groupBy(
    dumps.filter(({ metadata }) => metadata !== undefined),
    ({ metadata }) => `${metadata?.source} ${metadata?.database}`,
  );
  return [...groups.values()].map((group) => {
    const intact = group.filter(({ state }) => state === "intact");
    const times = intact.flatMap(({ metadata }) => metadata?.finishedAt ?? []).sort();
    const passed = intact.flatMap(({ validation }) => (validation?.state === "passed" ? [validation.at] : [])).sort();
    const sum = (of: (dump: StoredDump) => number) => group.reduce((total, each) => total + of(each), 0);
    return {
      source: group[0]?.metadata?.source ?? "",
      database: group[0]?.metadata?.database ?? "",
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
