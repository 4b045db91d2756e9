import type { Command } from "commander";
import { ageInSeconds, ago, type Finding } from "../../../backup/findings.ts";
import type { BackupList } from "../../../backup/list.ts";
import { type ExitCode, exitCode } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, stackOption } from "../../options.ts";
import { style } from "../../output.ts";
import { table } from "../../table.ts";
import { backupsOf } from "./stack.ts";
import { bytes } from "./texts.ts";

export function registerBackupList(backup: Command): void {
  backup
    .command("list")
    .description(
      "list the backups and report problems with them or the WAL archive (exit code 5; 1 if something is unknown)",
    )
    .addOption(stackOption())
    .addOption(jsonOption())
    .action(action<{ stack?: string }, []>(list));
}

async function list(context: CommandContext, { stack = localStack }: { stack?: string }): Promise<ExitCode> {
  const { withDocker } = await import("../../../docker/client.ts");
  const { listBackups } = await import("../../../backup/list.ts");
  const { backups, dockerHost } = await backupsOf(context, stack);
  const now = new Date();
  const found = await withDocker(dockerHost, (docker) => listBackups(docker, backups, now));
  const aged = found.backups.map((backup) => ({
    ...backup,
    ageSeconds: Math.round(ageInSeconds(backup.finishedAt, now)),
  }));
  context.out.answer({ stack, ...found, backups: aged }, () => describe(found, now));
  if (found.findings.some(({ level }) => level === "wrong")) return exitCode.wrong;
  return found.findings.length > 0 ? exitCode.failed : exitCode.done;
}

function describe({ backups, underWay, wal, archiver, findings }: BackupList, now: Date): string {
  const rows = backups.map((backup) => [
    backup.label,
    backup.type,
    backup.startedAt.slice(0, 19),
    backup.finishedAt.slice(0, 19),
    ago(ageInSeconds(backup.finishedAt, now)).replace(/ ago$/, ""),
    bytes(backup.size),
    bytes(backup.repositoryDelta),
    `${backup.wal.from}..${backup.wal.to.slice(8)}`,
    (backup.databases ?? ["not read"]).join(", "),
  ]);
  const heads = ["backup", "type", "started (UTC)", "done", "age", "cluster", "added", "write-ahead log", "databases"];
  const archived = archiver?.lastArchivedAt;
  return [
    ...(rows.length > 0 ? [table(heads, rows), ""] : ["no backup", ""]),
    ...(underWay ? ["a backup is running now"] : []),
    `archive   ${wal === undefined ? "empty" : `${wal.from}..${wal.to.slice(8)}`}${archived ? `, last at ${new Date(archived).toISOString().slice(0, 19)}` : ""}`,
    ...findings.flatMap(line),
    ...(findings.length === 0 ? ["no problems found"] : []),
  ].join("\n");
}

function line({ level, text, hint }: Finding): string[] {
  const word = level === "wrong" ? style("red", "wrong") : style("yellow", "unknown");
  return [`${word}     ${text}`, ...(hint === undefined ? [] : [`          ${hint}`])];
}
