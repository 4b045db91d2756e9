import type { Command } from "commander";
import { nameOfPlanned } from "../../../backup/dump/planned.ts";
import { statsOf } from "../../../backup/dump/stats.ts";
import { duration } from "../../../core/age.ts";
import { action, type CommandContext } from "../../context.ts";
import { dumpSettings } from "../../dump-target.ts";
import { databaseOption, jsonOption, stackOption } from "../../options.ts";
import { table } from "../../table.ts";
import { bytes } from "../backup/texts.ts";
import { readSelected, type SelectionOptions } from "./list.ts";

export function registerDumpsStats(dumps: Command): void {
  dumps
    .command("stats")
    .description("show number, size, age and duration of the dumps of each database, full and schema-only")
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
      `${nameOfPlanned(each)} of ${each.source}`,
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
