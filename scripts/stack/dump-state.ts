import { findOverdue } from "../backup/dump/planned-state.ts";
import { readDumpSettings } from "../backup/dump/settings.ts";
import type { BackupFinding } from "../backup/findings.ts";
import { OperationError } from "../core/operation-error.ts";
import { dumpDueCommand } from "../model/command-lines.ts";
import type { StackOutputs } from "../model/stack-outputs.ts";
import { declaredSettings } from "./declared-settings.ts";
import { readOutputs } from "./outputs.ts";
import type { Stack } from "./stack.ts";

/** State of the dumps that `backup dump --due` makes. */
export interface DumpsState {
  /** Folder of the dumps, `BACKUP_DIR`. */
  folder: string;
  /** Planned dumps that do not exist or are too old. Sizes of files are compared with their metadata, not checksums. */
  findings: BackupFinding[];
}

/** A stack, the environment that names its folder of dumps, and the folder that a relative name belongs to. */
export interface DumpsOfStack {
  root: string;
  name: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Compares the dumps of a stack with their plan. Only reads. Returns null if none are planned, or if the backup
 * container makes them.
 */
export async function readDumpsState(
  { server, databases }: Pick<StackOutputs, "server" | "databases">,
  { root, name, env }: DumpsOfStack,
  now: Date,
): Promise<DumpsState | null> {
  if (server.dumps === undefined) return null;
  const { plannedDumps } = await import("../backup/dump/planned.ts");
  const { folder } = readDumpSettings(env, root);
  const planned = plannedDumps(server.dumps, Object.keys(databases));
  return { folder, findings: await findOverdue({ folder, source: name }, planned, now) };
}

/**
 * Returns a warning if dumps of a stack are overdue, with the command that makes them. Undefined if they are not, if
 * none are planned, or if no `up` has completed since they are.
 */
export async function dumpWarning(stack: Stack, env: NodeJS.ProcessEnv, now: Date): Promise<string | undefined> {
  const { root, name } = stack;
  const { plansDumps } = await declaredSettings(root, name);
  if (!plansDumps) return undefined;
  try {
    const outputs = await readOutputs(stack, false);
    const found =
      outputs.server.kind === "docker"
        ? await findOfContainer(outputs.server, now)
        : (await readDumpsState(outputs, { root, name, env }, now))?.findings;
    if (found === undefined || found.length === 0) return undefined;
    const texts = found.map(({ text }) => text).join("\n");
    return outputs.server.kind === "docker" ? texts : `${texts} Make the dumps:\n    ${dumpDueCommand(name)}`;
  } catch (error) {
    // A stack that is not up has no dumps, and what else fails is reported by `up` itself.
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}

/** Finds what is wrong with the dumps that a container makes. Before its first run, nothing is. */
async function findOfContainer(
  server: Extract<StackOutputs["server"], { kind: "docker" }>,
  now: Date,
): Promise<BackupFinding[]> {
  if (server.backups?.dumps === undefined) return [];
  const { container, dumps } = server.backups;
  const { withDocker } = await import("../docker/client.ts");
  const { isRunning } = await import("../docker/server/running.ts");
  const { findInScheduledDumps } = await import("../backup/dump/scheduled-state.ts");
  const found = await withDocker(server.dockerHost, async (docker) =>
    (await isRunning(docker, container)) ? findInScheduledDumps(docker, container, dumps, now) : [],
  );
  return found.filter(({ level }) => level === "wrong");
}
