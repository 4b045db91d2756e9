import type { Command } from "commander";
import type { Loaded } from "../../../backup/dump/load.ts";
import type { LoadPlan } from "../../../backup/dump/load-plan.ts";
import type { DumpMetadata } from "../../../backup/dump/metadata.ts";
import { inDatabase } from "../../../connection/connection.ts";
import { type ExitCode, OperationError } from "../../../core/operation-error.ts";
import { action, type CommandContext } from "../../context.ts";
import {
  type DumpTarget,
  dumpSettings,
  type EncryptionOptions,
  recipientsFor,
  reportReplaced,
  resolveDumpTarget,
  restoreCommand,
} from "../../dump-target.ts";
import { databaseOption, jsonOption, stackOption, urlOption } from "../../options.ts";
import { showStep } from "../../step.ts";
import { resolveTarget, type TargetOptions } from "../../target.ts";
import { requireTyped } from "../../typed-name.ts";
import { bytes } from "../backup/texts.ts";
import { renewConnections } from "../migrate/pooled-connections.ts";
import { identityOption, jobsOption, recipientOption } from "./options.ts";

interface LoadCommandOptions extends TargetOptions, EncryptionOptions {
  identity?: string;
  jobs: number;
  migrate?: boolean;
  yes?: boolean;
}

export function registerDumpsLoad(dumps: Command): void {
  dumps
    .command("load [dump]")
    .description(
      "replace a database by a dump (default: the newest): load and compare it beside the existing one, swap both at " +
        "once, then dump and drop the replaced one; a physical archive replaces the whole embedded server",
    )
    .addOption(stackOption())
    .addOption(databaseOption())
    .addOption(urlOption())
    .option("--migrate", "apply the migrations that the dump lacks, before the swap")
    .addOption(identityOption())
    .option("--no-encrypt", "do not encrypt the dump of the replaced database")
    .addOption(recipientOption())
    .addOption(jobsOption())
    .option("-y, --yes", "skip the confirmation; sessions of the database are terminated")
    .addOption(jsonOption())
    .action(action<LoadCommandOptions, [string | undefined]>(load));
}

async function load(
  context: CommandContext,
  options: LoadCommandOptions,
  name = "latest",
): Promise<ExitCode | undefined> {
  const { loadArchive } = await import("./load-archive.ts");
  const restored = await loadArchive(context, options, name);
  if (restored !== undefined) return restored;
  const { findDump } = await import("../../../backup/dump/store.ts");
  const { planLoad } = await import("../../../backup/dump/load-plan.ts");
  const { loadDump } = await import("../../../backup/dump/load.ts");
  const { folder, compressed } = dumpSettings(context);
  const target = await resolveDumpTarget(context, options);
  const { database, name: source } = target.source;
  const dump = await findDump(folder, name, { source, database }, context.signal);
  if (dump.damage.length > 0) {
    throw new OperationError(
      [`The dump ${dump.id} is damaged:`, ...dump.damage.map((each) => `- ${each}`)].join("\n"),
      {
        hint: "Nothing was changed. `npm run pgw -- dumps list` shows which dumps are intact.",
      },
    );
  }
  const { encrypt, recipient } = options;
  const recipients = recipientsFor(
    context,
    { ...(encrypt === false && { encrypt }), ...(recipient && { recipient }) },
    target.isProtected,
  );
  const plan = await planLoad(target.maintenance, database, dump.metadata);
  context.out.note(describePlan(plan, dump.metadata, target));
  if (options.yes !== true) await requireTyped(context, [database], `Replacing the database "${database}"`);
  const loaded = await loadDump(dump, target.source, target.maintenance, plan, {
    folder,
    compressed,
    recipients,
    jobs: options.jobs,
    env: context.env,
    signal: context.signal,
    onStep: (step) => showStep(context.out, step),
    restoreCommand: (id) => restoreCommand(context, target, id),
    identityFile: options.identity ?? context.env.BACKUP_IDENTITY_FILE,
    migrate: options.migrate === true ? (loading) => migrate(context, options, target, loading) : undefined,
  });
  await renewConnections(context, target, options);
  await reportReplaced(context, loaded);
  const { previous, kept } = loaded;
  const answer = { database, dump: dump.id, ...loaded, previous: previous?.id ?? null, kept: kept ?? null };
  context.out.answer(answer, () => describe(loaded, dump.metadata, target));
  return undefined;
}

/** Applies the pending migrations of the target's folder to the loaded database. Returns their number. */
async function migrate(
  context: CommandContext,
  options: LoadCommandOptions,
  target: DumpTarget,
  loading: string,
): Promise<number> {
  const { applyMigrations } = await import("../../../migrate/apply.ts");
  const { database } = target.source;
  const { connection, admin, folder } = await resolveTarget(context, { ...options, database });
  const { applied } = await applyMigrations({
    connection: inDatabase(connection, loading),
    admin: inDatabase(admin, loading),
    folder,
    signal: context.signal,
    runId: context.runId,
    onEvent: (event) => {
      if (event.kind === "started") showStep(context.out, `applying ${event.filename}`, { announce: false });
    },
  });
  return applied.length;
}

function describePlan(
  { existing, leftovers }: LoadPlan,
  { id, database, source, finishedAt, content }: DumpMetadata,
  { label }: DumpTarget,
): string {
  const rows = content.tables.reduce((sum, each) => sum + each.rows, 0);
  return [
    `The dump ${id} will be loaded:`,
    `  from    ${database} of ${source}, ${finishedAt}: ${content.tables.length} tables, ${rows.toLocaleString("en")} rows`,
    existing === undefined
      ? `  create  ${label}`
      : `  replace ${label}: ${bytes(existing.bytes)}, which is dumped before it is dropped`,
    ...(existing === undefined || existing.sessions.length === 0
      ? []
      : [`  end     ${existing.sessions.length} sessions: ${[...new Set(existing.sessions)].join(", ")}`]),
    ...leftovers.map((name) => `  drop    ${name}, which a killed load left incomplete`),
  ].join("\n");
}

function describe(
  { tables, rows, migrated, terminated, previous }: Loaded,
  { id }: DumpMetadata,
  { label }: DumpTarget,
) {
  return [
    `${label} is as in ${id}: ${tables} tables with ${rows.toLocaleString("en")} rows, all as dumped`,
    ...(migrated === 0 ? [] : [`${migrated} migrations were applied afterwards`]),
    ...(terminated === 0 ? [] : [`${terminated} sessions were terminated`]),
    ...(previous === undefined ? [] : ["to return to what was there before:", `  ${previous.restore}`]),
  ].join("\n");
}
