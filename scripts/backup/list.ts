import type Docker from "dockerode";
import { SocketError } from "../container/query.ts";
import { isRunning } from "../container/running.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import type { OperationError } from "../errors/operation-error.ts";
import { type ArchiverState, readArchiver } from "./archive.ts";
import { type Finding, findInBackups, type LastRun } from "./findings.ts";
import { type Backup, readDatabases, readRepository } from "./info.ts";
import { backupIntervals } from "./schedule.ts";
import { type StackBackups, withRepository } from "./stack-backups.ts";
import { archiveFailure } from "./stanza.ts";

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
  const backupsRun = await isRunning(docker, stack.container);
  if (!backupsRun) {
    const text = `The container ${stack.container}, which makes backups, does not run.`;
    findings.push({ level: "wrong", text, remedy: "Run `up`, which starts it." });
  }
  const content = await withRepository(docker, stack, backupsRun, async (container) => {
    const repository = await readRepository(docker, container);
    const newestFirst = repository.backups.toReversed();
    for (const backup of newestFirst.slice(0, asked))
      backup.databases = await readDatabases(docker, container, backup.label);
    return { repository, newestFirst };
  });
  const { repository, newestFirst } = content;
  const { fault, underWay, wal } = repository;
  if (fault !== undefined) findings.push(wrong(fault));
  else {
    const intervals = backupIntervals(stack.schedule);
    const gaps = intervals && { full: intervals.full, any: intervals.incr };
    const lastRuns = backupsRun ? await readLastRuns(docker, stack.container) : [];
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
  if (!(await isRunning(docker, server))) return unknown(`the container ${server} does not run.`);
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

async function readLastRuns(docker: Docker, container: string): Promise<LastRun[]> {
  const command = ["sh", "-c", "cat /var/spool/pgbackrest/backup-*.json 2>/dev/null"];
  const { stdout } = await runInContainer(docker, container, { command });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LastRun);
}
