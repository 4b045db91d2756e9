import { type ExitCode, exitCode, OperationError } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/local-stack.ts";
import type { CommandContext } from "../../context.ts";
import { givenConnection, type TargetOptions } from "../../target.ts";
import { archiveSettings } from "../backup/archive-place.ts";

/** Options of `dumps load` that a physical archive has, too. */
interface LoadArchiveOptions extends TargetOptions {
  identity?: string;
  migrate?: boolean;
  yes?: boolean;
}

/**
 * Restores a stack's embedded server in place if the name is that of a physical archive. `latest` is one if no database
 * is named and no dump of the stack is newer.
 *
 * @returns undefined if the name is not that of a physical archive
 */
export async function loadArchive(
  context: CommandContext,
  options: LoadArchiveOptions,
  name: string,
): Promise<ExitCode | undefined> {
  if (givenConnection(context, options) !== undefined) return undefined;
  const { stack = localStack, database, identity, migrate = false, yes = false } = options;
  const id = await archiveOf(context, stack, name, database);
  if (id === undefined) return undefined;
  if (database !== undefined || migrate)
    throw new OperationError(`${id} is a physical archive of the whole server.`, {
      hint: "Leave out --database and --migrate. After the restore, `up` applies migrations that it lacks.",
      exitCode: exitCode.usage,
    });
  const { restoreEmbedded } = await import("../backup/archive-restore.ts");
  return restoreEmbedded(context, {
    stack,
    backup: id,
    what: { kind: "restore" },
    identity,
    yes,
    allowProtected: false,
  });
}

async function archiveOf(
  context: CommandContext,
  stack: string,
  name: string,
  database: string | undefined,
): Promise<string | undefined> {
  const { listArchives, newestDumpTime } = await import("../../../backup/physical/store.ts");
  const { folder, dumps } = archiveSettings(context);
  const archives = await listArchives(folder);
  if (name !== "latest") return archives.find(({ id, state }) => id === name && state !== "unfinished")?.id;
  const newest = archives.find(({ state, metadata }) => state === "complete" && metadata?.source === stack);
  if (database !== undefined || newest?.metadata === undefined) return undefined;
  return newest.metadata.finishedAt > (await newestDumpTime(dumps, stack)) ? newest.id : undefined;
}
