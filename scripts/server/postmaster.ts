import { readFile, readlink, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAbsent } from "../core/absent.ts";
import { OperationError } from "../core/operation-error.ts";
import { poll } from "../core/poll.ts";
import { processOwner } from "../core/process-exists.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { describeSpace, diskSpaceAt, isLow } from "./disk-space.ts";
import type { ServerDirectory } from "./locations.ts";
import { type LogMark, lastLines, markLog } from "./log.ts";
import { run } from "./program.ts";
import { diagnoseStart } from "./start-diagnosis.ts";

/** Time limit for starting or stopping a server, in seconds. Crash recovery is part of the start. */
const timeoutSeconds = 300;

/** A running server process. */
export interface Postmaster {
  pid: number;
  /** Start time in ISO 8601. It distinguishes one run of a server from the next. */
  startedAt: string;
  port: number;
}

/** A server did not start. The message has the end of its log. */
export class StartError extends OperationError {
  /** True if another program listens on the server's port. */
  readonly portTaken: boolean;

  constructor(message: string, portTaken: boolean, hint: string) {
    super(message, { hint });
    this.portTaken = portTaken;
  }
}

/**
 * Finds the server that runs on a data directory by its `postmaster.pid`. Returns undefined if none runs. A stale file
 * from a crash or a reboot is detected, even if its pid belongs to another process now.
 */
export async function findPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  let lines: string[];
  try {
    lines = (await readFile(join(dataDirectory, "postmaster.pid"), "utf8")).split("\n");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw new OperationError(`Cannot check whether a server runs on ${dataDirectory}: ${(error as Error).message}`);
  }
  const [pid, , started, port] = lines.map((line) => line.trim());
  if (pid === undefined || !(await isServerOf(dataDirectory, Number(pid)))) return undefined;
  return { pid: Number(pid), startedAt: new Date(Number(started) * 1000).toISOString(), port: Number(port) };
}

async function isServerOf(dataDirectory: string, pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  // If the process belongs to another user, it has reused the pid. A server runs as its caller, or its caller is root.
  if (processOwner(pid) !== "own") return false;
  // Without /proc (macOS), the pid has to suffice.
  if (process.platform !== "linux") return true;
  let folder: string;
  try {
    folder = await readlink(`/proc/${pid}/cwd`);
  } catch (error) {
    // If the link cannot be read, the pid has to suffice. With any other error, the process has just ended or is a
    // zombie.
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
  // The working directory of a postmaster is its data directory. No other program works there by accident.
  return folder === (await realpath(dataDirectory));
}

/**
 * Starts the server, which outlives this process. Returns when it accepts connections.
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
    `--timeout=${timeoutSeconds}`,
    "--silent",
    `--pgdata=${directory.data}`,
    `--log=${startupLog}`,
  ];
  // The same files contain the errors of earlier starts.
  const before = await markLog(directory.log);
  const finished = await run(binaries.pgCtl, args, { account, cwd: directory.data });
  const postmaster = await findPostmaster(directory.data);
  if (finished.code === 0 && postmaster !== undefined) return postmaster;
  throw await startFailed(directory, await logOfFailure(directory.log, before));
}

/** Time that the server's logger, a process of its own, has to write what the server said before it ended, in ms. */
const logDelayMs = 1_000;

/** Returns the end of the log of a failed start, with the reason if the logger writes it in time. */
async function logOfFailure(logDirectory: string, before: LogMark): Promise<string[]> {
  const deadline = performance.now() + logDelayMs;
  const read = async () => {
    const lines = await lastLines(logDirectory, 12, before);
    const hasReason = lines.some((line) => /\b(?:FATAL|PANIC): /.test(line));
    return hasReason || performance.now() > deadline ? lines : undefined;
  };
  return poll(read, { intervalMs: 50 });
}

/**
 * Removes a stale `postmaster.pid`. PostgreSQL treats it as live if its pid belongs to another process of the same
 * account, for example after a reboot. PostgreSQL still detects running sessions of a killed server by their shared
 * memory.
 */
async function removeStalePidFile(dataDirectory: string): Promise<void> {
  if ((await findPostmaster(dataDirectory)) === undefined)
    await rm(join(dataDirectory, "postmaster.pid"), { force: true });
}

/**
 * Stops the server: sessions end, open transactions are rolled back, everything acknowledged is on disk. Returns true
 * if a server was running.
 */
export async function stop(
  binaries: Binaries,
  directory: ServerDirectory,
  account: Account | undefined,
): Promise<boolean> {
  if ((await findPostmaster(directory.data)) === undefined) return false;
  const args = [
    "stop",
    "--mode=fast",
    "--wait",
    `--timeout=${timeoutSeconds}`,
    "--silent",
    `--pgdata=${directory.data}`,
  ];
  const finished = await run(binaries.pgCtl, args, { account, cwd: directory.data });
  if ((await findPostmaster(directory.data)) === undefined) return true;
  throw new OperationError(
    `The server on ${directory.data} did not stop within ${timeoutSeconds} s: ${finished.stderr.trim()}`,
    {
      hint: "Check its log (`pgw logs`): a long checkpoint or a stuck session delays it. Nothing was lost.",
    },
  );
}

/** Makes the running server read its configuration again. */
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
    throw new OperationError(`Cannot reload the server on ${directory.data}: ${finished.stderr.trim()}`);
}

async function startFailed(directory: ServerDirectory, log: readonly string[]): Promise<StartError> {
  const text = log.join("\n");
  const { kind, hint } = diagnoseStart(text, directory);
  const space = kind === "disk-full" ? await diskSpaceAt(directory.data) : undefined;
  const why =
    space !== undefined && isLow(space)
      ? `did not start: its disk is full (${describeSpace(space)}).`
      : `did not start. The end of its log:\n${text || "(the log is empty)"}`;
  return new StartError(`The server on ${directory.data} ${why}`, kind === "port-taken", hint);
}
