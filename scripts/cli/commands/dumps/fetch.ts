import type { Command } from "commander";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/local-stack.ts";
import { action, type CommandContext } from "../../context.ts";
import { dumpSettings } from "../../dump-target.ts";
import { databaseOption, jsonOption, stackOption } from "../../options.ts";
import { type DumpsInEngine, readScheduled, type SelectionOptions, scheduledDumpsOf } from "./list.ts";

export function registerDumpsFetch(dumps: Command): void {
  dumps
    .command("fetch <dump>")
    .description("copy a scheduled dump of a stack (or `latest`) into BACKUP_DIR, and compare its checksums")
    .addOption(stackOption())
    .addOption(databaseOption("the database of `latest` (default: any)"))
    .addOption(jsonOption())
    .action(action<SelectionOptions, [string]>(fetch));
}

async function fetch(context: CommandContext, options: SelectionOptions, name: string): Promise<undefined> {
  const { fetchScheduledDump } = await import("../../../backup/dump/scheduled.ts");
  const { withDocker } = await import("../../../docker/client.ts");
  const { stack = localStack } = options;
  const { folder } = dumpSettings(context);
  const { container, dockerHost, id } = await scheduledDumpNamed(context, options, name);
  const dump = await withDocker(dockerHost, (docker) => fetchScheduledDump(docker, container, id, folder));
  const database = dump.metadata?.database;
  context.out.answer({ id, folder, database }, () =>
    [
      `${id} is in ${folder}`,
      "  load it into a scratch cluster, to prove it, with:",
      `  npm run pgw -- dumps validate ${id} --stack ${stack} --database ${database}`,
      "  load it into the stack with:",
      `  npm run db:restore -- ${id} --stack ${stack} --database ${database}`,
    ].join("\n"),
  );
  return undefined;
}

/** Finds the container of a scheduled dump, and the name of the newest intact full one if `latest` is given. */
export async function scheduledDumpNamed(
  context: CommandContext,
  options: SelectionOptions,
  name: string,
): Promise<DumpsInEngine & { id: string }> {
  if (name === "latest") return newestOf(context, options);
  return { ...(await scheduledDumpsOf(context, options.stack ?? localStack)), id: name };
}

async function newestOf(context: CommandContext, options: SelectionOptions): Promise<DumpsInEngine & { id: string }> {
  const { container, dockerHost, dumps } = await readScheduled(context, options);
  const newest = dumps.find(({ state, metadata }) => state === "intact" && metadata?.scope === "full");
  if (newest !== undefined) return { container, dockerHost, id: newest.id };
  throw new OperationError("There is no intact scheduled dump of this database.", {
    hint: "`npm run pgw -- dumps list --scheduled` shows the dumps.",
    exitCode: exitCode.usage,
  });
}
