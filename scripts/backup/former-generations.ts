import type Docker from "dockerode";
import { OperationError } from "../core/operation-error.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import type { BackupFinding } from "./findings.ts";
import { type Backup, isEmptyRepository, readDetails, readRepository } from "./info.ts";
import { type StackBackups, withRepository } from "./stack-backups.ts";

/** A former generation of a repository, which has a passphrase of its own and is only read. */
export interface FormerGeneration {
  generation: number;
  /** Newest first. Empty if the generation was removed. */
  backups: Backup[];
  /** First and last WAL segment in its archive. */
  wal: { from: string; to: string } | undefined;
  /** Reason it cannot be read. Omitted if it can be. */
  finding?: BackupFinding;
}

/** A repository's former generation in a stack. */
export type FormerRepository = StackBackups & { formerGeneration: number };

/** Number of backups, newest first, whose databases are listed. Each one takes a separate query. */
const asked = 20;

/** Lists a former generation, through a temporary container. */
export async function listFormer(docker: Docker, stack: FormerRepository): Promise<FormerGeneration> {
  const generation = stack.formerGeneration;
  return withRepository(docker, stack, false, async (container) => {
    const { backups, wal, fault } = await readRepository(docker, container);
    const newestFirst = backups.toReversed();
    for (const backup of newestFirst.slice(0, asked))
      backup.databases = (await readDetails(docker, container, backup.label)).databases;
    const found = { generation, backups: newestFirst, wal };
    if (fault === undefined || isEmptyRepository(fault)) return found;
    const text = `Generation ${generation} of the repository cannot be read: ${fault.message}`;
    return { ...found, finding: { level: "wrong", text, ...(fault.hint === undefined ? {} : { hint: fault.hint }) } };
  });
}

/**
 * Removes the backups and the archive of a former generation. Its passphrase stays with the cluster.
 *
 * @throws OperationError if the current generation has no backup, or it cannot be removed
 */
export async function removeFormer(docker: Docker, { container, formerGeneration }: FormerRepository): Promise<void> {
  const { backups, fault } = await readRepository(docker, container);
  if (fault !== undefined) throw fault;
  if (backups.every(({ damaged }) => damaged)) {
    throw new OperationError("The current generation of the repository has no backup to rely on.", {
      hint: "Nothing was removed. Make one first: `npm run pgw -- backup create --type full`",
    });
  }
  const command = ["repository-generation", "remove", String(formerGeneration)];
  const { code, stderr } = await runInContainer(docker, container, { command, user: "postgres" });
  if (code === 0) return;
  throw new OperationError(
    `Generation ${formerGeneration} of the repository could not be removed: ${stderr.trim().split("\n").at(-1)}`,
    { hint: "Run it again. What was already removed does not come back." },
  );
}
