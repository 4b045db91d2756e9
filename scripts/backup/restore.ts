import { randomBytes } from "node:crypto";
import type Docker from "dockerode";
import { executeInContainer } from "../container/query.ts";
import { isRunning } from "../container/running.ts";
import { waitForServer } from "../container/wait.ts";
import { lastLogLines } from "../docker/container-log.ts";
import { unlessMissing } from "../docker/docker-error.ts";
import { labelsOf } from "../docker/labels.ts";
import { withScratchContainer } from "../docker/scratch-container.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { type DatabaseContents, readContents } from "./contents.ts";
import { BackupError, diagnose } from "./diagnosis.ts";
import { extractDirectory } from "./extract-directory.ts";
import { pgBackRest } from "./pgbackrest.ts";
import { environment, paths, type StackBackups } from "./stack-backups.ts";

/** Where a restored cluster is to be afterwards. */
export type Destination = { kind: "directory"; path: string } | { kind: "volume"; name: string };

export interface RestoreRequest {
  to: Destination;
  /** As the cluster was when this backup was done; absent: as it was last, with all that is archived. */
  backup?: string | undefined;
  /** How long the restored server may take to recover, in seconds. */
  recoverySeconds: number;
  signal: AbortSignal;
  onStep: (step: string) => void;
}

export interface Restored {
  databases: DatabaseContents[];
  /** Whether everything that was written until now is in it; else why not. */
  complete: true | string;
}

/**
 * Restores a cluster beside the stack and proves it: a server of the same image starts on it, without a network, and reads every row of every table. Nothing of the
 * stack is touched. The cluster that is left has ended in order, and archives nowhere.
 *
 * @throws OperationError where it cannot be restored, or the destination holds something already
 */
export async function restoreBackup(docker: Docker, stack: StackBackups, request: RestoreRequest): Promise<Restored> {
  const { to, backup, onStep } = request;
  const complete = backup === undefined ? await archiveRest(docker, stack, onStep) : true;
  const volume = await makeVolume(docker, stack, to);
  let isKept = false;
  try {
    request.signal.throwIfAborted();
    onStep(`restoring ${backup ?? "the latest backup"}`);
    await restoreFiles(docker, stack, volume, backup);
    const databases = await proveCluster(docker, stack, volume, request);
    isKept = to.kind === "volume";
    return { databases, complete };
  } finally {
    if (!isKept) await docker.getVolume(volume).remove({ force: true });
  }
}

/** Has the server archive what it has not yet; a server that is down has nothing more to give than what is there. */
async function archiveRest(
  docker: Docker,
  stack: StackBackups,
  onStep: (step: string) => void,
): Promise<true | string> {
  if (!(await isRunning(docker, stack.server)))
    return "the server does not run: what it had not archived yet is missing";
  if (!(await isRunning(docker, stack.container))) return `the container ${stack.container} does not run`;
  onStep("archiving what is not archived yet");
  try {
    await pgBackRest(docker, stack.container, ["check"]);
    return true;
  } catch (error) {
    if (error instanceof BackupError) return error.message;
    throw error;
  }
}

async function makeVolume(docker: Docker, { owner }: StackBackups, to: Destination): Promise<string> {
  const role = to.kind === "volume" ? "restored" : "scratch";
  const name =
    to.kind === "volume" ? to.name : `${owner.project}-${owner.stack}-restore-${randomBytes(4).toString("hex")}`;
  if ((await unlessMissing(docker.getVolume(name).inspect())) !== undefined) {
    throw new OperationError(`There is a volume ${name} already.`, {
      remedy: "Name one that there is not yet: nothing is written over.",
      exitCode: exitCode.usage,
    });
  }
  await docker.createVolume({ Name: name, Labels: labelsOf({ ...owner, role }) });
  return name;
}

async function restoreFiles(docker: Docker, stack: StackBackups, volume: string, backup: string | undefined) {
  const target = backup === undefined ? [] : [`--set=${backup}`, "--type=immediate", "--target-action=promote"];
  // On the command line, since the restored server is told to fetch segments with the same options.
  const options = [`--config=${environment.PGBACKREST_CONFIG}`, `--stanza=${environment.PGBACKREST_STANZA}`];
  const restore = ["pgbackrest", ...options, "--archive-mode=off", "--log-level-console=info", ...target, "restore"];
  const command = ["sh", "-c", `mkdir -p -m 0700 ${paths.data} && exec "$@"`, "restore", ...restore];
  await withScratchContainer(docker, specOf(stack, volume, command), async (container) => {
    await container.start();
    const { StatusCode: code } = (await container.wait()) as { StatusCode: number };
    if (code !== 0) throw diagnose(code, await lastLogLines(docker, container.id, 100));
  });
}

/** What the restored server has otherwise than the stack's: it is alone, runs nothing of its own accord, and needs little memory. */
const overrides: Readonly<Record<string, string>> = {
  listen_addresses: "",
  ssl: "off",
  archive_mode: "off",
  shared_preload_libraries: "",
  shared_buffers: "128MB",
  huge_pages: "off",
  // Otherwise it takes sessions while it recovers, and only with limits as high as the stack's.
  hot_standby: "off",
};

/** Settings by which it was told how to recover, and that are of no more use. */
const recoverySettings = ["restore_command", "recovery_target", "recovery_target_action", "recovery_target_timeline"];

async function proveCluster(
  docker: Docker,
  stack: StackBackups,
  volume: string,
  { to, recoverySeconds, signal, onStep }: RestoreRequest,
): Promise<DatabaseContents[]> {
  const settings = {
    config_file: `${paths.configuration}/postgresql.conf`,
    hba_file: `${paths.configuration}/pg_hba.conf`,
    ident_file: `${paths.configuration}/pg_ident.conf`,
    ...overrides,
  };
  const given = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const spec = specOf(stack, volume, ["postgres", "-D", paths.data, ...given]);
  return withScratchContainer(docker, spec, async (container) => {
    await container.start();
    onStep("starting a server on it, which recovers");
    await waitForServer(docker, container.id, recoverySeconds, signal);
    onStep("reading every row");
    const databases = await readContents(docker, container.id, signal);
    for (const name of recoverySettings) await executeInContainer(docker, container.id, `alter system reset ${name}`);
    await container.stop({ t: 300 });
    const { State } = await container.inspect();
    if (State.ExitCode !== 0) throw new OperationError(`The restored server did not end in order (${State.ExitCode}).`);
    if (to.kind === "directory") {
      onStep(`copying it to ${to.path}`);
      const archive = await container.getArchive({ path: paths.data });
      await extractDirectory(archive as NodeJS.ReadableStream, to.path, signal);
    }
    return databases;
  });
}

function specOf({ owner, image, volumes }: StackBackups, volume: string, command: readonly string[]) {
  return {
    owner,
    image,
    command,
    volumes: { [paths.cluster]: volume },
    readOnlyVolumes: { [paths.repository]: volumes.repository, [paths.configuration]: volumes.configuration },
  };
}
