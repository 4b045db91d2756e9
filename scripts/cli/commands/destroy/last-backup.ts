import { listDumps } from "../../../backup/dump/store.ts";
import type { Repository } from "../../../backup/info.ts";
import { listArchives } from "../../../backup/physical/store.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import { archiveSettings } from "../backup/archive-place.ts";
import { backupsOf } from "../backup/stack.ts";
import type { Destruction } from "./destruction.ts";

/**
 * Describes the last backup of a stack that is about to lose data, or why that is not known: in its repository, and
 * the dumps and physical archives in `BACKUP_DIR`, as `backup list` shows them.
 *
 * @param database the only database that is lost. Omit it for the whole stack.
 */
export async function describeLastBackup(destruction: Destruction, database?: string): Promise<string> {
  const inRepository = await describeLastInRepository(destruction);
  const inFolder = await describeLastInFolder(destruction, database);
  const known = [inRepository, inFolder].filter((each) => each !== undefined);
  return known.length === 0 ? "last backup: none known" : `last backup: ${known.join("; ")}`;
}

/** Returns undefined if the stack has no repository. */
async function describeLastInRepository({ context, stack, survey }: Destruction): Promise<string | undefined> {
  // Only servers in containers have a repository.
  if (survey.state === undefined || survey.content.docker === undefined) return undefined;
  try {
    const { backups, dockerHost } = await backupsOf(context, stack.name);
    const { withDocker } = await import("../../../docker/client.ts");
    const { isRunning } = await import("../../../docker/server/running.ts");
    const { withRepository } = await import("../../../backup/stack-backups.ts");
    const { readRepository } = await import("../../../backup/info.ts");
    const repository = await withDocker(dockerHost, async (docker) =>
      withRepository(docker, backups, await isRunning(docker, backups.container), (container) =>
        readRepository(docker, container),
      ),
    );
    return describeRepository(repository);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    if (error.exitCode === exitCode.usage) return undefined;
    return `not known (${error.message})`;
  }
}

function describeRepository({ backups, fault }: Repository): string {
  const last = backups.at(-1);
  if (last !== undefined) return `${last.finishedAt} (${last.label})`;
  return fault === undefined ? "none" : `not known (${fault.message})`;
}

/** Returns undefined if `BACKUP_DIR` has no complete dump or archive of the stack. Checksums are not compared. */
async function describeLastInFolder(
  destruction: Destruction,
  database: string | undefined,
): Promise<string | undefined> {
  try {
    return await findLastInFolder(destruction, database);
  } catch (error) {
    if (!(error instanceof OperationError) && !isSystemError(error)) throw error;
    return `not known in BACKUP_DIR (${error.message})`;
  }
}

/** Returns true for an error of the operating system, such as a folder that this user may not read. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

async function findLastInFolder(
  { context, stack }: Destruction,
  database: string | undefined,
): Promise<string | undefined> {
  const { dumps, folder } = archiveSettings(context);
  const isOf = (name: string) => database === undefined || name === database;
  const found = [
    ...(await listDumps(dumps, context.signal, "sizes")).flatMap(({ id, state, metadata }) =>
      state === "intact" && metadata?.source === stack.name && metadata.scope === "full" && isOf(metadata.database)
        ? [{ at: metadata.finishedAt, text: `dump ${id} of ${metadata.database} in ${dumps}` }]
        : [],
    ),
    ...(await listArchives(folder)).flatMap(({ id, state, metadata }) =>
      state === "complete" && metadata?.source === stack.name && metadata.databases.some(({ name }) => isOf(name))
        ? [{ at: metadata.finishedAt, text: `physical archive ${id} in ${folder}` }]
        : [],
    ),
  ].toSorted((a, b) => (a.at < b.at ? 1 : -1));
  const [last] = found;
  return last && `${last.at} (${last.text})`;
}
