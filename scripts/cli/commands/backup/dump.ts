import { type Command, Option } from "commander";
import type { DumpFormat, DumpMetadata } from "../../../backup/dump/metadata.ts";
import { scheduledScopes } from "../../../model/dump-plan.ts";
import { localStack } from "../../../stack/local-stack.ts";
import { action, type CommandContext } from "../../context.ts";
import {
  dumpSettings,
  type EncryptionOptions,
  recipientsFor,
  resolveDumpTargets,
  restoreCommand,
} from "../../dump-target.ts";
import { databaseOption, jsonOption, stackOption, urlOption } from "../../options.ts";
import { showStep } from "../../step.ts";
import type { TargetOptions } from "../../target.ts";
import { jobsOption, recipientOption } from "../dumps/options.ts";
import { describeDumps } from "./dump-text.ts";

interface DumpCommandOptions extends TargetOptions, EncryptionOptions {
  format: DumpFormat;
  schemaOnly?: boolean;
  globals?: boolean;
  jobs: number;
  due?: boolean;
}

/** Options that the plan in the settings decides about. */
const planned = ["database", "url", "format", "schemaOnly", "globals", "encrypt", "recipient", "jobs"];

export function registerBackupDump(backup: Command): void {
  backup
    .command("dump")
    .description(
      "dump databases with pg_dump, count every table's rows in the same snapshot, and remove dumps older than " +
        "BACKUP_RETENTION_DAYS",
    )
    .addOption(stackOption())
    .addOption(databaseOption("the database (default: each one of the stack)"))
    .addOption(urlOption())
    .addOption(
      new Option("--format <format>", "one file for pg_restore, a folder with a file for each table, or SQL")
        .choices(["custom", "directory", "sql"])
        .default("custom"),
    )
    .option("--schema-only", "dump definitions without rows")
    .option("--globals", "also dump the server's roles, with the hashes of their passwords; needs a superuser")
    .option("--encrypt", "encrypt the dump with age (default on protected stacks, and if a public key is given)")
    .option("--no-encrypt", "do not encrypt the dump")
    .addOption(recipientOption())
    .addOption(jobsOption())
    .addOption(
      new Option(
        "--due",
        "make only the dumps that are due by pgroundwork:backups dumps, full and schema-only; for cron and systemd",
      ).conflicts(planned),
    )
    .addOption(jsonOption())
    .action(action<DumpCommandOptions, []>(dumpOrArchive));
}

/** Makes a physical archive instead if there is no pg_dump for an embedded server. */
async function dumpOrArchive(context: CommandContext, options: DumpCommandOptions): Promise<undefined> {
  try {
    return await dump(context, options);
  } catch (error) {
    const { archiveInstead } = await import("./archive-create.ts");
    return archiveInstead(context, options, error);
  }
}

async function dump(context: CommandContext, options: DumpCommandOptions): Promise<undefined> {
  if (options.due === true) {
    const { dumpIfDue } = await import("./dump-due.ts");
    return dumpIfDue(context, options.stack ?? localStack);
  }
  const { createDump } = await import("../../../backup/dump/create.ts");
  const { applyRetention } = await import("../../../backup/dump/store.ts");
  const { folder, retentionDays, compressed } = dumpSettings(context);
  const dumps: DumpMetadata[] = [];
  const removed: string[] = [];
  for (const target of await resolveDumpTargets(context, options)) {
    const scope = options.schemaOnly === true ? "schema" : "full";
    const made = await createDump(target.source, {
      folder,
      kind: options.format,
      scope,
      globals: options.globals === true,
      compressed,
      recipients: recipientsFor(context, options, target.isProtected),
      reason: "requested",
      jobs: options.jobs,
      env: context.env,
      signal: context.signal,
      onStep: (step) => showStep(context.out, step),
      restoreCommand: (id) => restoreCommand(context, target, id),
    });
    dumps.push(made);
    // Those of a plan have its retention time.
    const planned = target.plan && scheduledScopes(target.plan).find((each) => each.scope === scope);
    const retention = { days: retentionDays, scheduledDays: planned?.retentionDays ?? retentionDays };
    removed.push(...(await applyRetention(folder, made, retention, new Date())));
  }
  context.out.answer({ folder, dumps, removed }, () => describeDumps({ dumps, removed }, folder));
  return undefined;
}
