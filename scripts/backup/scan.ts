import type Docker from "dockerode";
import { z } from "zod";
import { ago, isInFuture } from "../core/age.ts";
import { maxScanAgeSeconds } from "../model/backup-limits.ts";
import type { BackupFinding } from "./findings.ts";
import { readResults, runProgram } from "./image-program.ts";

const scanSchema = z.object({
  /** Seconds since 1970. */
  scannedAt: z.number(),
  findings: z.array(z.object({ level: z.enum(["wrong", "unknown"]), text: z.string(), hint: z.string().optional() })),
  damagedSegments: z.array(z.string()).optional(),
  unusableBackups: z.array(z.string()).optional(),
});

/** Content of a repository that every restore has to avoid. */
export interface DamagedContent {
  /** Names of WAL segments whose content is damaged. */
  segments: ReadonlySet<string>;
  /** Labels of backups that cannot be restored. */
  backups: ReadonlySet<string>;
}

/** Result of a scan of the repository: backups that cannot be restored, gaps and damage in the archive. */
export interface RepositoryScan {
  /** Seconds since 1970. */
  scannedAt: number;
  findings: BackupFinding[];
  /** undefined if the scan could not tell, or if an image of an earlier version made it. */
  damaged?: DamagedContent | undefined;
}

/** Scans the repository now, by reading every file in it. */
export async function scanRepository(docker: Docker, container: string): Promise<Omit<RepositoryScan, "scannedAt">> {
  const absent = "the container's image has no repository-scan. Use a current image and run `up`.";
  const made = await runProgram(docker, container, "repository-scan", absent);
  if (made.known) return parseScan(made.output);
  return {
    findings: [{ level: "unknown", text: `The backups could not be checked: ${made.reason}` }],
    damaged: undefined,
  };
}

/**
 * Reads the result of the last scan in a container that has the repository. Returns undefined if there was no scan yet.
 */
export async function readScan(docker: Docker, container: string): Promise<RepositoryScan | undefined> {
  return (await readResults(docker, container, "scan.json"))
    .map(parseScan)
    .sort((one, other) => one.scannedAt - other.scannedAt)
    .at(-1);
}

/** Returns the findings of a scan with its age. A missing or outdated scan is a finding of its own. */
export function findInScan(scan: RepositoryScan | undefined, now: Date): BackupFinding[] {
  if (scan === undefined) return [{ level: "unknown", text: "The backup repository has not been scanned yet." }];
  const age = now.getTime() / 1_000 - scan.scannedAt;
  if (age > maxScanAgeSeconds || isInFuture(age)) {
    const text = `The backup repository was last scanned ${ago(age)}, so the state of the backups is not known.`;
    return [...withAge(scan, age), { level: "unknown", text, hint: "`npm run pgw -- backup list` scans it now." }];
  }
  return withAge(scan, age);
}

function withAge({ findings }: RepositoryScan, age: number): BackupFinding[] {
  return findings.map((finding) => ({ ...finding, text: `${finding.text} (scanned ${ago(age)})` }));
}

function parseScan(json: string): RepositoryScan {
  const { scannedAt, findings, damagedSegments, unusableBackups } = scanSchema.parse(JSON.parse(json));
  return {
    scannedAt,
    findings: findings.map(({ hint, ...finding }) => ({ ...finding, ...(hint === undefined ? {} : { hint }) })),
    damaged:
      damagedSegments === undefined || unusableBackups === undefined
        ? undefined
        : { segments: new Set(damagedSegments), backups: new Set(unusableBackups) },
  };
}
