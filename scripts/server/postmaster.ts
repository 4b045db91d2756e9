import { readFile, readlink, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../errors/operation-error.ts";
import { isAbsent } from "../files/absent.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import type { ServerDirectory } from "./locations.ts";
import { lastLines, markLog } from "./log.ts";
import { run } from "./program.ts";
import { diagnoseStart } from "./start-diagnosis.ts";

/** How long a server may take to start or stop, in seconds: crash recovery counts as starting. */
const patience = 300;

/** A server process that is there. */
export interface Postmaster {
  pid: number;
  /** When it was started, ISO 8601: tells one run of a server from the next. */
  startedAt: string;
  port: number;
}

/** A server that did not start: the message has the end of its log. */
export class StartError extends OperationError {
  /** Another program listens on its port. */
  readonly portTaken: boolean;

  constructor(message: string, portTaken: boolean, remedy: string) {
    super(message, { remedy });
    this.portTaken = portTaken;
  }
}

/**
 * The server running on a data directory, found by its `postmaster.pid`; undefined: none runs. A stale file, left by a crash or a
 * reboot, is recognised even where its pid belongs to another process by now.
 */
export async function findPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  let lines: string[];
  try {
    lines = (await readFile(join(dataDirectory, "postmaster.pid"), "utf8")).split("\n");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw new OperationError(`Could not tell whether a server runs on ${dataDirectory}: ${(error as Error).message}`);
  }
  const [pid, , started, port] = lines.map((line) => line.trim());
  if (pid === undefined || !(await isServerOf(dataDirectory, Number(pid)))) return undefined;
  return { pid: Number(pid), startedAt: new Date(Number(started) * 1000).toISOString(), port: Number(port) };
}

async function isServerOf(dataDirectory: string, pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch {
    // ESRCH: it is gone. EPERM: the pid is another account's by now, since a server runs as its caller or is root's.
    return false;
  }
  // Without /proc (macOS) the pid has to do.
  if (process.platform !== "linux") return true;
  let folder: string;
  try {
    folder = await readlink(`/proc/${pid}/cwd`);
  } catch (error) {
    // Not ours to read: the pid has to do. Otherwise it has just ended, or is a zombie that nobody waits for.
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
  // A postmaster's working directory is its data directory, which no other program's is by accident.
  return folder === (await realpath(dataDirectory));
}

/**
 * Starts the server; it outlives this process. Returns when it accepts connections.
 *
 * @throws StartError
 */
export async function start(
  binaries: Binaries,
  directory: ServerDirectory,
  account: Account | undefined,
): Promise<Postmaster> {
  await removeStalePidFile(directory.data);
  const startupLog = join(directory.log, "startup.log");
  const args = [
    "start",
    "--wait",
    `--timeout=${patience}`,
    "--silent",
    `--pgdata=${directory.data}`,
    `--log=${startupLog}`,
  ];
  // What earlier starts failed on stands in the same files.
  const before = await markLog(directory.log);
  const finished = await run(binaries.pgCtl, args, { account, cwd: directory.data });
  const postmaster = await findPostmaster(directory.data);
  if (finished.code === 0 && postmaster !== undefined) return postmaster;
  throw startFailed(directory, await lastLines(directory.log, 12, before));
}

/**
 * PostgreSQL takes a stale `postmaster.pid` for a live one where its pid belongs to another process of the same account by now, as after a reboot.
 * Sessions of a killed server that still run are found by PostgreSQL all the same, by the shared memory that they hold.
 */
async function removeStalePidFile(dataDirectory: string): Promise<void> {
  if ((await findPostmaster(dataDirectory)) === undefined)
    await rm(join(dataDirectory, "postmaster.pid"), { force: true });
}

/** Stops the server: sessions end, open transactions roll back, everything acknowledged is on disk. True where one was running. */
export async function stop(
  binaries: Binaries,
  directory: ServerDirectory,
  account: Account | undefined,
): Promise<boolean> {
  if ((await findPostmaster(directory.data)) === undefined) return false;
  const args = ["stop", "--mode=fast", "--wait", `--timeout=${patience}`, "--silent", `--pgdata=${directory.data}`];
  const finished = await run(binaries.pgCtl, args, { account, cwd: directory.data });
  if ((await findPostmaster(directory.data)) === undefined) return true;
  throw new OperationError(
    `The server on ${directory.data} was not stopped (${patience} s are waited for): ${finished.stderr.trim()}`,
    {
      remedy: "Look at its log (`pgw logs`): a long checkpoint or a stuck session holds it. Nothing was lost.",
    },
  );
}

/** Has the running server read its configuration again. */
export async function reload(
  binaries: Binaries,
  directory: ServerDirectory,
  account: Account | undefined,
): Promise<void> {
  const finished = await run(binaries.pgCtl, ["reload", "--silent", `--pgdata=${directory.data}`], {
    account,
    cwd: directory.data,
  });
  if (finished.code !== 0)
    throw new OperationError(`The server on ${directory.data} could not be reloaded: ${finished.stderr.trim()}`);
}

function startFailed(directory: ServerDirectory, log: readonly string[]): StartError {
  const text = log.join("\n");
  const { kind, remedy } = diagnoseStart(text, directory);
  return new StartError(
    `The server on ${directory.data} did not start. The end of its log:\n${text || "(it wrote nothing)"}`,
    kind === "port-taken",
    remedy,
  );
}
