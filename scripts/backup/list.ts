import type Docker from "dockerode";
import type { Known } from "../core/known.ts";
import type { OperationError } from "../core/operation-error.ts";
import { runInContainer } from "../docker/run-in-container.ts";
import { SocketError } from "../docker/server/query.ts";
import { isRunning } from "../docker/server/running.ts";
import { backupIntervals } from "../model/schedule.ts";
import { type ArchiverState, readArchiver } from "./archive.ts";
import { type ArchiveLag, findInLag, measureLag } from "./archive-lag.ts";
import { type BackupFinding, findInBackups, type LastRun, newestOfEachType } from "./findings.ts";
import { type Backup, readDetails, readRepository } from "./info.ts";
import { scanRepository } from "./scan.ts";
import { type StackBackups, withRepository } from "./stack-backups.ts";
import { explainArchiver } from "./stanza.ts";

/** Backups of a stack, with findings about them. */
export interface BackupList {
  /** Newest first. */
  backups: Backup[];
  underWay: boolean;
  /** First and last WAL segment in the archive. */
  wal: { from: string; to: string } | undefined;
  /** undefined if the server did not answer. */
  archiver: ArchiverState | undefined;
  /** Distance between the server and the archive in this repository. */
  lag: Known<ArchiveLag>;
  findings: BackupFinding[];
}

/** Number of backups, newest first, whose databases are listed. Each one takes a separate query. */
const asked = 20;

/**
 * Lists a stack's backups, even if its containers are stopped.
 *
 * @throws OperationError if the engine, the volumes or pgBackRest do not answer at all
 */
export async function listBackups(docker: Docker, stack: StackBackups, now: Date): Promise<BackupList> {
  const findings: BackupFinding[] = [];
  const backupsRun = await isRunning(docker, stack.container);
  if (!backupsRun) {
    const text = `The backup container ${stack.container} is not running.`;
    findings.push({ level: "wrong", text, hint: "Run `up`, which starts it." });
  }
  const content = await withRepository(docker, stack, backupsRun, async (container) => {
    const repository = await readRepository(docker, container);
    const newestFirst = repository.backups.toReversed();
    for (const backup of newestFirst.slice(0, asked))
      backup.databases = (await readDetails(docker, container, backup.label)).databases;
    const lastRuns = await readLastRuns(docker, container);
    // A remote repository that is away makes both wait.
    const [scanned, lag] = await Promise.all([
      repository.fault === undefined ? scanRepository(docker, container).then(({ findings: found }) => found) : [],
      measureLag(docker, container),
    ]);
    return { repository, newestFirst, lastRuns, scanned, lag };
  });
  const { repository, newestFirst, lastRuns, scanned, lag } = content;
  const { fault, underWay, wal } = repository;
  if (fault !== undefined) findings.push(wrong(fault));
  else {
    const intervals = backupIntervals(stack.schedule);
    const gaps = intervals && { full: intervals.full, any: intervals.incr };
    findings.push(...findInBackups({ backups: repository.backups, underWay, gaps, lastRuns, now }), ...scanned);
  }
  findings.push(...findInLag(lag, now, stack.repository));
  const archiver = await askServer(docker, stack.server, findings);
  return { backups: newestFirst, underWay, wal, archiver, lag, findings };
}

async function askServer(
  docker: Docker,
  server: string,
  findings: BackupFinding[],
): Promise<ArchiverState | undefined> {
  const unknown = (why: string) => {
    const text = `WAL archiving could not be checked: ${why}`;
    findings.push({ level: "unknown", text });
    return undefined;
  };
  if (!(await isRunning(docker, server))) return unknown(`the container ${server} is not running.`);
  try {
    const archiver = await readArchiver(docker, server);
    const { state } = archiver;
    const failure = await explainArchiver(docker, server, archiver);
    if (failure !== undefined) findings.push(wrong(failure));
    if (state.mode === "off") {
      const hint = "Run `up`, which turns it on.";
      findings.push({ level: "wrong", text: "WAL archiving is off (archive_mode = off).", hint });
    }
    return state;
  } catch (error) {
    if (error instanceof SocketError) return unknown(error.message);
    throw error;
  }
}

function wrong({ message, hint }: OperationError): BackupFinding {
  return { level: "wrong", text: message, ...(hint === undefined ? {} : { hint }) };
}

/**
 * Reads how the last backup of each type ended. The notes are in the repository. If it could not be written, they are
 * in the container.
 */
export async function readLastRuns(docker: Docker, container: string): Promise<LastRun[]> {
  const notes = ["/var/lib/pgbackrest/pgroundwork", "/var/spool/pgbackrest"].map((place) => `${place}/backup-*.json`);
  const command = ["sh", "-c", `cat ${notes.join(" ")} 2>/dev/null`];
  const { stdout } = await runInContainer(docker, container, { command, user: "postgres" });
  const runs = stdout.split("\n").filter((line) => line !== "");
  return newestOfEachType(runs.map((line) => JSON.parse(line) as LastRun));
}
