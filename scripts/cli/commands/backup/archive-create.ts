import type { NoDumpTools } from "../../../backup/dump/tools.ts";
import type { ArchiveMetadata } from "../../../backup/physical/metadata.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/local-stack.ts";
import type { CommandContext } from "../../context.ts";
import { type EncryptionOptions, recipientsFor } from "../../dump-target.ts";
import { outputsOf } from "../../stack.ts";
import { showStep } from "../../step.ts";
import { givenConnection, type TargetOptions } from "../../target.ts";
import { archiveSettings, restoreArchiveCommand } from "./archive-place.ts";
import { bytes } from "./texts.ts";

/** Makes a physical archive of a stack's embedded server, removes expired ones, and prints it. */
export async function createEmbedded(
  context: CommandContext,
  stack: string,
  encryption: EncryptionOptions,
): Promise<undefined> {
  const { createArchive } = await import("../../../backup/physical/create.ts");
  const { applyArchiveRetention } = await import("../../../backup/physical/store.ts");
  const { serverConnection } = await import("../../../stack/outputs.ts");
  const { folder, compressed, retentionDays } = archiveSettings(context);
  const outputs = await outputsOf(context, stack, true);
  const connection = serverConnection(outputs);
  const archive = await createArchive(
    { connection, name: stack },
    {
      ...{ folder, compressed, signal: context.signal },
      recipients: recipientsFor(context, encryption, outputs.protected),
      onStep: (step) => showStep(context.out, step),
      restoreCommand: (id) => restoreArchiveCommand(context, stack, id),
    },
  );
  const removed = await applyArchiveRetention(folder, archive, retentionDays, new Date());
  context.out.answer({ stack, folder, archive, removed }, () =>
    [
      ...describe(archive),
      `in ${folder}`,
      ...(removed.length === 0 ? [] : [`removed, older than ${retentionDays} days: ${removed.join(", ")}`]),
    ].join("\n"),
  );
  return undefined;
}

function describe({ id, file, clusterBytes, databases, durationMs, recipients, restore }: ArchiveMetadata): string[] {
  const sealed = recipients.length > 0 ? ", encrypted" : "";
  const names = databases.map(({ name }) => name).filter((name) => name !== "postgres");
  return [
    `${id}: the whole server (${names.join(", ")}), ${bytes(clusterBytes)}, archived in ${bytes(file.bytes)}${sealed}, in ${(durationMs / 1_000).toFixed(1)} s`,
    "  restore it with:",
    `  ${restore}`,
  ];
}

/** Options of `backup dump` that only pg_dump can fulfil. */
interface DumpRequest extends TargetOptions, EncryptionOptions {
  format: string;
  schemaOnly?: boolean;
  globals?: boolean;
}

/**
 * Makes a physical archive if `backup dump` failed because there is no pg_dump for a stack's embedded server.
 *
 * @throws the error of `backup dump` otherwise
 */
export async function archiveInstead(
  context: CommandContext,
  options: DumpRequest,
  error: unknown,
): Promise<undefined> {
  const tools = await import("../../../backup/dump/tools.ts");
  if (!(error instanceof tools.NoDumpTools) || givenConnection(context, options) !== undefined) throw error;
  const { stack = localStack, database, format, schemaOnly = false, globals = false, encrypt, recipient } = options;
  const { server } = await outputsOf(context, stack, false);
  if (server.kind !== "embedded") throw error;
  if (database !== undefined || format !== "custom" || schemaOnly || globals) throw onlyPgDump(error, stack);
  context.out.endStep();
  context.out.note(
    `no pg_dump of version ${Number.parseInt(server.version, 10)} was found: this is a physical archive of the whole server instead`,
  );
  return createEmbedded(context, stack, {
    ...(encrypt !== undefined && { encrypt }),
    ...(recipient !== undefined && { recipient }),
  });
}

/** Adds that a physical archive is possible, but is not what was asked for. */
function onlyPgDump(error: NoDumpTools, stack: string): OperationError {
  const option = stack === localStack ? "" : ` --stack ${stack}`;
  return new OperationError(error.message, {
    hint: `${error.hint ?? ""} Without these options, a physical archive of the whole server is made: npm run db:backup${option === "" ? "" : ` --${option}`}`,
    exitCode: exitCode.failed,
    cause: error,
  });
}
