import { findDamagedDumps, type NewestDump, newestDumps } from "../../../backup/dump/newest.ts";
import { plannedDumps } from "../../../backup/dump/planned.ts";
import { judgeDumps } from "../../../backup/dump/planned-state.ts";
import { listDumps, type StoredDump } from "../../../backup/dump/store.ts";
import type { BackupFinding } from "../../../backup/findings.ts";
import { ago } from "../../../core/age.ts";
import { OperationError } from "../../../core/operation-error.ts";
import type { StackOutputs } from "../../../model/stack-outputs.ts";
import type { CommandContext } from "../../context.ts";
import { dumpSettings } from "../../dump-target.ts";
import { table } from "../../table.ts";
import { bytes } from "./texts.ts";

/** Newest dumps of a stack: those in `BACKUP_DIR`, and the scheduled ones in its volume. */
export interface ListedDumps {
  /** `BACKUP_DIR`. */
  folder: string;
  /** The sizes of files are compared with the metadata. Their checksums are not, because that reads every byte. */
  compared: "sizes";
  newest: NewestDump[];
}

/** Reads the newest dumps of a stack, and problems with its dumps. Only descriptions and sizes of files are read. */
export async function readNewestDumps(
  context: CommandContext,
  stack: string,
  outputs: StackOutputs,
  now: Date,
): Promise<{ dumps: ListedDumps; findings: BackupFinding[] }> {
  const { folder } = dumpSettings(context);
  const inFolder = await listDumps(folder, context.signal, "sizes");
  const { dumps: plan, backups } = outputs.server;
  const planned = plan === undefined ? [] : plannedDumps(plan, Object.keys(outputs.databases));
  const scheduled = backups?.dumps === undefined ? noDumps : await readVolume(outputs, now);
  const isNotReported = ({ id }: StoredDump) => !scheduled.findings.some(({ text }) => text.includes(id));
  const findings = [
    ...findDamagedDumps(inFolder, stack, folder),
    ...judgeDumps(inFolder, { folder, source: stack }, planned, now),
    ...scheduled.findings,
    // The last run of the container has compared checksums, so it has reported most of them.
    ...findDamagedDumps(scheduled.dumps.filter(isNotReported), stack, "the volume"),
  ];
  const newest = [
    ...newestDumps(inFolder, { source: stack, location: "folder", now }),
    ...newestDumps(scheduled.dumps, { source: stack, location: "volume", now }),
  ];
  return { dumps: { folder, compared: "sizes", newest }, findings };
}

const noDumps: { dumps: StoredDump[]; findings: BackupFinding[] } = { dumps: [], findings: [] };

async function readVolume({ server }: StackOutputs, now: Date): Promise<typeof noDumps> {
  const { backups } = server;
  if (server.kind !== "docker" || backups?.dumps === undefined) return noDumps;
  const { container, dumps: plan } = backups;
  const { withDocker } = await import("../../../docker/client.ts");
  const { listScheduledDumps } = await import("../../../backup/dump/scheduled.ts");
  const { findInScheduledDumps, isBeforeFirstRun } = await import("../../../backup/dump/scheduled-state.ts");
  try {
    return await withDocker(server.dockerHost, async (docker) => {
      const dumps = await listScheduledDumps(docker, container, "sizes");
      const findings = await findInScheduledDumps(docker, container, plan, now);
      return { dumps, findings: findings.filter((finding) => !isBeforeFirstRun(finding)) };
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { dumps: [], findings: [{ level: "unknown", text: error.message, hint: error.hint ?? "Run `up`." }] };
  }
}

/** Describes the newest dumps as a section of its own. */
export function describeNewestDumps({ folder, newest }: ListedDumps): string {
  if (newest.length === 0) return `dumps     none of this stack in ${folder}`;
  const rows = newest.map((dump) => [
    dump.id,
    dump.database,
    dump.scope === "full" ? "all rows" : "schema only",
    dump.location === "folder" ? "BACKUP_DIR" : "volume",
    ago(dump.ageSeconds).replace(/ ago$/, ""),
    bytes(dump.bytes),
    dump.encrypted ? "age" : "",
    dump.validated ?? "not loaded",
  ]);
  return [
    table(["newest dump", "database", "content", "in", "age", "size", "encrypted", "validated"], rows),
    `dumps     in ${folder}${newest.some(({ location }) => location === "volume") ? " and in the volume" : ""}; sizes compared, checksums not: \`dumps list\` compares them`,
  ].join("\n");
}
