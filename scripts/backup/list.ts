import type Docker from "dockerode";
import { SocketError } from "../container/query.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import type { OperationError } from "../errors/operation-error.ts";
import { type ArchiverState, readArchiver } from "./archive.ts";
import { type Finding, findInBackups, type LastRun } from "./findings.ts";
import { type Backup, readDatabases, readRepository } from "./info.ts";
import { type StackBackups, withRepository } from "./stack-backups.ts";
import { archiveFailure, runs } from "./stanza.ts";

/** A stack's backups, and what is to be said of them. */
export interface BackupList {
  /** Newest first. */
  backups: Backup[];
  underWay: boolean;
  /** Segments of the write-ahead log from which on and up to which can be restored. */
  wal: { from: string; to: string } | undefined;
  /** undefined: the server gave no answer. */
  archiver: ArchiverState | undefined;
  findings: Finding[];
}

/** Of how many backups, the newest, it is asked which databases are in them: each is a question of its own. */
const asked = 20;

/**
 * Lists a stack's backups, whether or not its containers run.
 *
 * @throws OperationError where the engine, the volumes or pgBackRest give no answer at all
 */
export async function listBackups(docker: Docker, stack: StackBackups, now: Date): Promise<BackupList> {
  const findings: Finding[] = [];
  const isRunning = await runs(docker, stack.container);
  if (!isRunning) {
    const text = `The container ${stack.container}, which makes backups, does not run.`;
    findings.push({ level: "wrong", text, remedy: "Run `up`, which starts it." });
  }
  const content = await withRepository(docker, stack, isRunning, async (container) => {
    const repository = await readRepository(docker, container);
    const newestFirst = repository.backups.toReversed();
    for (const backup of newestFirst.slice(0, asked))
      backup.databases = await readDatabases(docker, container, backup.label);
    return { repository, newestFirst, gaps: await readGaps(docker, container, stack) };
  });
  const { repository, newestFirst, gaps } = content;
  const { fault, underWay, wal } = repository;
  if (fault !== undefined) findings.push(wrong(fault));
  else {
    const lastRuns = isRunning ? await readLastRuns(docker, stack.container) : [];
    findings.push(...findInBackups({ backups: repository.backups, underWay, gaps, lastRuns, now }));
  }
  const archiver = await askServer(docker, stack.server, findings);
  return { backups: newestFirst, underWay, wal, archiver, findings };
}

async function askServer(docker: Docker, server: string, findings: Finding[]): Promise<ArchiverState | undefined> {
  const unknown = (why: string) => {
    const text = `Whether the server archives could not be told: ${why}`;
    findings.push({ level: "unknown", text });
    return undefined;
  };
  if (!(await runs(docker, server))) return unknown(`the container ${server} does not run.`);
  try {
    const state = await readArchiver(docker, server);
    const failure = await archiveFailure(docker, server);
    if (failure !== undefined) findings.push(wrong(failure));
    if (state.mode === "off") {
      const remedy = "Run `up`, which switches it on.";
      findings.push({ level: "wrong", text: "The server does not archive: archive_mode is off.", remedy });
    }
    return state;
  } catch (error) {
    if (error instanceof SocketError) return unknown(error.message);
    throw error;
  }
}

function wrong({ message, remedy }: OperationError): Finding {
  return { level: "wrong", text: message, ...(remedy === undefined ? {} : { remedy }) };
}

/** The image's scheduler knows best when it will run. */
async function readGaps(docker: Docker, container: string, { schedule }: StackBackups) {
  const longest = async (text: string) => {
    const { code, stdout } = await runInContainer(docker, container, {
      command: ["backup-scheduler", "longest-gap", text],
    });
    return code === 0 ? Number(stdout) : undefined;
  };
  const [full, incremental] = [await longest(schedule.full), await longest(schedule.incremental)];
  return full === undefined || incremental === undefined ? undefined : { full, any: Math.min(full, incremental) };
}

async function readLastRuns(docker: Docker, container: string): Promise<LastRun[]> {
  const command = ["sh", "-c", "cat /var/spool/pgbackrest/backup-*.json 2>/dev/null"];
  const { stdout } = await runInContainer(docker, container, { command });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LastRun);
}
