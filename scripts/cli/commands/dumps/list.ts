import type { Command } from "commander";
import type { StoredDump } from "../../../backup/dump/store.ts";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/local-stack.ts";
import { action, type CommandContext } from "../../context.ts";
import { dumpSettings } from "../../dump-target.ts";
import { databaseOption, jsonOption, stackOption } from "../../options.ts";
import { style } from "../../output.ts";
import { showStep } from "../../step.ts";
import { table } from "../../table.ts";
import { bytes } from "../backup/texts.ts";

/** Options that select dumps by their description. */
export interface SelectionOptions {
  stack?: string;
  database?: string;
}

export function registerDumpsList(dumps: Command): void {
  dumps
    .command("list")
    .description(
      "list the dumps after comparing every file with its checksum (exit code 5 if one is damaged, 1 if one is unknown)",
    )
    .addOption(stackOption("only dumps of this stack"))
    .addOption(databaseOption("only dumps of this database"))
    .option("--scheduled", "list the dumps that the stack makes on its schedule, in its volume")
    .addOption(jsonOption())
    .action(action<ListOptions, []>(list));
}

interface ListOptions extends SelectionOptions {
  scheduled?: boolean;
}

async function list(context: CommandContext, options: ListOptions): Promise<ExitCode> {
  const { folder, dumps } =
    options.scheduled === true ? await readScheduled(context, options) : await readLocal(context, options);
  context.out.answer({ folder, dumps: dumps.map(answerOf) }, () => describe(dumps, folder));
  if (dumps.some(({ state }) => state === "damaged")) return exitCode.wrong;
  return dumps.some(({ state }) => state === "unknown") ? exitCode.failed : exitCode.done;
}

async function readLocal(
  context: CommandContext,
  options: SelectionOptions,
): Promise<{ folder: string; dumps: StoredDump[] }> {
  const { folder } = dumpSettings(context);
  return { folder, dumps: await readSelected(context, options, folder) };
}

/** Reads the dumps of a folder that match. Those without a readable description always do. */
export async function readSelected(
  context: CommandContext,
  { stack, database }: SelectionOptions,
  folder: string,
): Promise<StoredDump[]> {
  const { listDumps } = await import("../../../backup/dump/store.ts");
  showStep(context.out, "comparing checksums", { announce: false });
  const dumps = await listDumps(folder, context.signal);
  context.out.endStep();
  return dumps.filter((dump) => matches(dump, stack, database));
}

function matches({ metadata }: StoredDump, stack: string | undefined, database: string | undefined): boolean {
  if (metadata === undefined) return true;
  return (
    (stack === undefined || metadata.source === stack) && (database === undefined || metadata.database === database)
  );
}

/** Reads the scheduled dumps of a stack, newest first. */
export async function readScheduled(
  context: CommandContext,
  { stack = localStack, database }: SelectionOptions,
): Promise<{ folder: string; dumps: StoredDump[] } & DumpsInEngine> {
  const { listScheduledDumps } = await import("../../../backup/dump/scheduled.ts");
  const { withDocker } = await import("../../../docker/client.ts");
  const place = await scheduledDumpsOf(context, stack);
  showStep(context.out, "comparing checksums", { announce: false });
  const dumps = await withDocker(place.dockerHost, (docker) => listScheduledDumps(docker, place.container));
  context.out.endStep();
  const found = dumps.filter((dump) => matches(dump, undefined, database));
  return { ...place, folder: `the volume of ${place.container}`, dumps: found };
}

/** Container with the scheduled dumps of a stack, and its Docker engine. */
export interface DumpsInEngine {
  container: string;
  dockerHost: string | undefined;
}

/** @throws OperationError (wrong usage) if the stack makes no dumps on a schedule */
export async function scheduledDumpsOf(context: CommandContext, stack: string): Promise<DumpsInEngine> {
  const { outputsOf } = await import("../../stack.ts");
  const { server } = await outputsOf(context, stack, false);
  if (server.kind === "docker" && server.backups?.dumps !== undefined)
    return { container: server.backups.container, dockerHost: server.dockerHost };
  throw new OperationError(`Stack "${stack}" makes no dumps on a schedule.`, {
    hint: "Set dumps in pgroundwork:backups, and run `up`. `backup dump` makes one now.",
    exitCode: exitCode.usage,
  });
}

function answerOf({ damage: _, metadata, ...dump }: StoredDump) {
  if (metadata === undefined) return dump;
  const { content, files: __, ...described } = metadata;
  const rows = content.tables.reduce((sum, each) => sum + each.rows, 0);
  return { ...dump, ...described, tables: content.tables.length, rows, migrations: content.migrations };
}

function describe(dumps: readonly StoredDump[], folder: string): string {
  if (dumps.length === 0) return `no dumps in ${folder}; \`backup list\` shows physical archives, too`;
  const rows = dumps.map(({ id, state, metadata, validation }) => [
    id,
    state === "intact" ? state : style("red", state),
    validation === undefined ? "not loaded" : `${validation.state} ${validation.at.slice(0, 10)}`,
    metadata === undefined ? "" : `${metadata.kind}${metadata.scope === "schema" ? ", schema" : ""}`,
    metadata === undefined || metadata.recipients.length === 0 ? "" : "age",
    metadata === undefined ? "" : bytes(metadata.bytes),
    metadata?.server.version ?? "",
  ]);
  return [
    table(["dump", "state", "validated", "format", "encrypted", "size", "server"], rows),
    ...dumps.flatMap(({ id, reasons }) => reasons.map((reason) => `${id}: ${reason}`)),
    `in ${folder}`,
  ].join("\n");
}
