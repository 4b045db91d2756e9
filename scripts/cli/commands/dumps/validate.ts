import type { Command } from "commander";
import type { DescribedDump } from "../../../backup/dump/planned.ts";
import type { ValidationResult } from "../../../backup/dump/validate.ts";
import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/local-stack.ts";
import { action, type CommandContext } from "../../context.ts";
import { anyDocker, dumpSettings } from "../../dump-target.ts";
import { databaseOption, jsonOption, stackOption } from "../../options.ts";
import { showStep } from "../../step.ts";
import { resolveTargets } from "../../target.ts";
import { scheduledDumpNamed } from "./fetch.ts";
import { identityOption, jobsOption } from "./options.ts";

interface ValidateCommandOptions {
  stack?: string;
  database?: string;
  identity?: string;
  jobs: number;
  scheduled?: boolean;
}

export function registerDumpsValidate(dumps: Command): void {
  dumps
    .command("validate <dump>")
    .description(
      "load a dump (or `latest`) into a scratch cluster and compare every table's rows with those dumped (exit code 5 " +
        "if the dump is bad, 1 if it could not be tried)",
    )
    .addOption(stackOption("the stack of `latest`; its Docker engine is used (default: any)"))
    .addOption(databaseOption("the database of `latest` (default: any)"))
    .option("--scheduled", "validate a dump that the stack made on its schedule, in its volume, without a copy")
    .addOption(identityOption())
    .addOption(jobsOption())
    .addOption(jsonOption())
    .action(action<ValidateCommandOptions, [string]>(validate));
}

async function validate(context: CommandContext, options: ValidateCommandOptions, name: string): Promise<ExitCode> {
  const { dump, result } =
    options.scheduled === true
      ? await validateScheduled(context, options, name)
      : await validateLocal(context, options, name);
  const { tables } = dump.metadata.content;
  const rows = tables.reduce((sum, each) => sum + each.rows, 0);
  if (result.state === "could-not-run")
    throw new OperationError(`The dump ${dump.id} could not be tried: ${result.reason}. This says nothing about it.`);
  context.out.answer({ id: dump.id, tables: tables.length, rows, ...result }, () =>
    result.state === "passed"
      ? `${dump.id} can be loaded: ${tables.length} tables with ${rows.toLocaleString("en")} rows, all as dumped`
      : [`${dump.id} is bad:`, ...result.reasons.map((reason) => `- ${reason}`)].join("\n"),
  );
  return result.state === "passed" ? exitCode.done : exitCode.wrong;
}

/** A dump, and whether it can be loaded. */
interface Validated {
  dump: DescribedDump;
  result: ValidationResult;
}

async function validateLocal(
  context: CommandContext,
  options: ValidateCommandOptions,
  name: string,
): Promise<Validated> {
  const { findDump } = await import("../../../backup/dump/store.ts");
  const dump = await findDump(dumpSettings(context).folder, name, selectionOf(options), context.signal);
  return { dump, result: await load(context, options, dump) };
}

/** Validates a dump in a stack's volume. Its files are read through the Docker engine, and stay where they are. */
async function validateScheduled(
  context: CommandContext,
  options: ValidateCommandOptions,
  name: string,
): Promise<Validated> {
  const { findScheduledDump } = await import("../../../backup/dump/scheduled.ts");
  const { withDocker } = await import("../../../docker/client.ts");
  const { container, dockerHost, id } = await scheduledDumpNamed(context, options, name);
  return withDocker(dockerHost, async (docker) => {
    const dump = await findScheduledDump(docker, container, id);
    return { dump, result: await load(context, { ...options, stack: options.stack ?? localStack }, dump) };
  });
}

async function load(
  context: CommandContext,
  options: ValidateCommandOptions,
  dump: DescribedDump,
): Promise<ValidationResult> {
  const { validateDump } = await import("../../../backup/dump/validate.ts");
  return validateDump(dump, {
    docker: await dockerOf(context, options),
    identityFile: options.identity ?? context.env.BACKUP_IDENTITY_FILE,
    jobs: options.jobs,
    env: context.env,
    signal: context.signal,
    onStep: (step) => showStep(context.out, step),
  });
}

function selectionOf({ stack, database }: ValidateCommandOptions) {
  return { ...(stack !== undefined && { source: stack }), ...(database !== undefined && { database }) };
}

async function dockerOf(context: CommandContext, { stack, database }: ValidateCommandOptions) {
  if (stack === undefined) return anyDocker(context);
  const [target] = await resolveTargets(context, { stack, ...(database !== undefined && { database }) }, "superuser");
  return target?.docker ?? anyDocker(context);
}
