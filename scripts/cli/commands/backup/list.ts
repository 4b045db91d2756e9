import type { Command } from "commander";
import type { ArchiveLag } from "../../../backup/archive-lag.ts";
import type { FormerGeneration } from "../../../backup/former-generations.ts";
import type { Backup } from "../../../backup/info.ts";
import type { BackupList } from "../../../backup/list.ts";
import { ageInSeconds, ago, duration } from "../../../core/age.ts";
import type { Known } from "../../../core/known.ts";
import type { ExitCode } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, repositoryOption, stackOption } from "../../options.ts";
import { table } from "../../table.ts";
import { describeNewestDumps, type ListedDumps, readNewestDumps } from "./list-dumps.ts";
import { codeOf, describeFindings } from "./list-findings.ts";
import { restoreLine } from "./restore-line.ts";
import { findBackups, formerGenerations, inRepository } from "./stack.ts";
import { bytes } from "./texts.ts";

interface ListOptions {
  stack?: string;
  repository?: string;
}

export function registerBackupList(backup: Command): void {
  backup
    .command("list")
    .description(
      "list the backups and the newest dumps, and report problems with them or the WAL archive (exit code 5; 1 if " +
        "something is unknown)",
    )
    .addOption(stackOption())
    .addOption(repositoryOption())
    .addOption(jsonOption())
    .action(action<ListOptions, []>(list));
}

async function list(context: CommandContext, { stack = localStack, repository }: ListOptions): Promise<ExitCode> {
  const now = new Date();
  const located = await findBackups(context, stack);
  const dumped = await readNewestDumps(context, stack, located.outputs, now);
  if ("kind" in located && located.kind === "embedded") {
    const { listEmbedded } = await import("./archive-list.ts");
    return listEmbedded(context, stack, dumped, now);
  }
  const hasDumps = dumped.dumps.newest.length > 0 || dumped.findings.length > 0;
  if (!("backups" in located) && hasDumps && repository === undefined) return answerDumps(context, stack, dumped);
  const { withDocker } = await import("../../../docker/client.ts");
  const { listBackups } = await import("../../../backup/list.ts");
  const { listFormer } = await import("../../../backup/former-generations.ts");
  const { findInLag, measureLagIfUp } = await import("../../../backup/archive-lag.ts");
  const place = inRepository(located, stack, repository);
  const { backups, other, dockerHost } = place;
  const found = await withDocker(dockerHost, async (docker) => {
    const [listed, otherLag] = await Promise.all([
      listBackups(docker, backups, now),
      other === undefined ? null : measureLagIfUp(docker, other.container),
    ]);
    if (otherLag !== null) listed.findings.push(...findInLag(otherLag, now, other?.repository));
    const former: FormerGeneration[] = [];
    for (const each of formerGenerations(place)) former.push(await listFormer(docker, each));
    for (const { finding } of former) if (finding !== undefined) listed.findings.push(finding);
    return {
      ...{ ...listed, repository: backups.repository ?? 1, otherLag, dumps: dumped.dumps },
      generation: located.outputs.server.backups?.generation ?? 1,
      formerGenerations: former,
    };
  });
  found.findings.push(...dumped.findings);
  const aged = found.backups.map((backup) => ({
    ...backup,
    ageSeconds: Math.round(ageInSeconds(backup.finishedAt, now)),
    restore: restoreLine(place, backups, backup.label),
  }));
  context.out.answer({ stack, ...found, backups: aged }, () => describe(found, now));
  return codeOf(found.findings);
}

/** Answers for a stack that makes no backups. */
function answerDumps(
  context: CommandContext,
  stack: string,
  { dumps, findings }: Awaited<ReturnType<typeof readNewestDumps>>,
): ExitCode {
  context.out.answer({ stack, backups: [], dumps, findings }, () =>
    [
      "no backups: only servers in containers have them",
      "",
      describeNewestDumps(dumps),
      ...describeFindings(findings),
    ].join("\n"),
  );
  return codeOf(findings);
}

/** Backups in one repository, and how far the archive in the other one is behind. */
interface ListedBackups extends BackupList {
  repository: number;
  /** null if there is no other repository. */
  otherLag: Known<ArchiveLag> | null;
  dumps: ListedDumps;
  /** Number of the repository's current generation. */
  generation: number;
  /** Former generations, newest first. */
  formerGenerations: FormerGeneration[];
}

function describe(listed: ListedBackups, now: Date): string {
  const { backups, underWay, wal, archiver, findings, dumps, formerGenerations: former } = listed;
  const rows = backups.map((backup) => rowOf(backup, now));
  const heads = ["backup", "type", "started (UTC)", "done", "age", "cluster", "added", "write-ahead log", "databases"];
  const archived = archiver?.lastArchivedAt;
  return [
    ...(rows.length > 0 ? [table(heads, rows), ""] : ["no backup", ""]),
    ...(underWay ? ["a backup is running now"] : []),
    `archive   ${wal === undefined ? "empty" : `${wal.from}..${wal.to.slice(8)}`}${archived ? `, last at ${new Date(archived).toISOString().slice(0, 19)}` : ""}`,
    ...lagLines(listed),
    ...former.flatMap(({ generation, backups: older, wal: range }) =>
      older.length === 0
        ? []
        : [
            "",
            `generation ${generation} of the repository, with a passphrase of its own; restore it with --generation ${generation}`,
            table(
              heads,
              older.map((backup) => rowOf(backup, now)),
            ),
            `archive   ${range === undefined ? "empty" : `${range.from}..${range.to.slice(8)}`}`,
          ],
    ),
    "",
    describeNewestDumps(dumps),
    ...describeFindings(findings),
  ].join("\n");
}

function rowOf(backup: Backup, now: Date): string[] {
  return [
    backup.label,
    backup.type,
    backup.startedAt.slice(0, 19),
    backup.finishedAt.slice(0, 19),
    ago(ageInSeconds(backup.finishedAt, now)).replace(/ ago$/, ""),
    bytes(backup.size),
    bytes(backup.repositoryDelta),
    `${backup.wal.from}..${backup.wal.to.slice(8)}`,
    (backup.databases ?? ["not read"]).join(", "),
  ];
}

function lagLines({ repository, lag, otherLag }: ListedBackups): string[] {
  if (otherLag === null) return [`lag       ${describeLag(lag)}`];
  const both = repository === 1 ? [lag, otherLag] : [otherLag, lag];
  return both.map((each, at) => `lag       repository ${at + 1}: ${describeLag(each)}`);
}

function describeLag(lag: Known<ArchiveLag>): string {
  if (!lag.known) return `not known: ${lag.reason}`;
  const { lagSeconds, waitingSegments, waitingBytes, lostSegments, unanswered, newestSegment } = lag;
  if (lagSeconds === 0 && waitingSegments === 0 && lostSegments === 0) return "none";
  const atMost = unanswered === null ? "" : "at most ";
  return [
    `${duration(lagSeconds)}, newest segment ${newestSegment ?? "not known"}`,
    `${atMost}${waitingSegments} waiting (${bytes(waitingBytes)})`,
    ...(lostSegments === 0 ? [] : [`at least ${lostSegments} lost`]),
    ...(unanswered === null ? [] : [`no answer: ${unanswered}`]),
  ].join("; ");
}
