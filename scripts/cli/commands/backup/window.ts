import type { Command } from "commander";
import type { Finding } from "../../../backup/findings.ts";
import { formatLsn } from "../../../backup/wal.ts";
import { displayTime, formatTime } from "../../../backup/window/microseconds.ts";
import type { BackupWindow, Moment, TimelineWindow } from "../../../backup/window/window.ts";
import { type ExitCode, exitCode } from "../../../core/operation-error.ts";
import { localStack } from "../../../stack/stacks.ts";
import { action, type CommandContext } from "../../context.ts";
import { jsonOption, repositoryOption, stackOption } from "../../options.ts";
import { style } from "../../output.ts";
import { showStep } from "../../step.ts";
import { table } from "../../table.ts";
import { backupsOf } from "./stack.ts";

interface WindowOptions {
  stack?: string;
  repository?: string;
}

export function registerBackupWindow(backup: Command): void {
  backup
    .command("window")
    .description(
      "show which moments can be restored, from which backup, and the gaps (exit code 5 if there is a gap or " +
        "damage; 1 if something is unknown)",
    )
    .addOption(stackOption())
    .addOption(repositoryOption())
    .addOption(jsonOption())
    .action(action<WindowOptions, []>(window));
}

async function window(context: CommandContext, { stack = localStack, repository }: WindowOptions): Promise<ExitCode> {
  const { withDocker } = await import("../../../docker/client.ts");
  const { findWindow } = await import("../../../backup/window/window.ts");
  const { backups, dockerHost } = await backupsOf(context, stack, repository);
  showStep(context.out, "reading the repository");
  const found = await withDocker(dockerHost, (docker) => findWindow(docker, backups));
  context.out.endStep();
  context.out.answer({ stack, ...asJson(found) }, () => describe(found));
  const hasGap = found.timelines.some(({ gaps }) => gaps.length > 0);
  if (found.timelines.length === 0 || hasGap || found.findings.some(({ level }) => level === "wrong"))
    return exitCode.wrong;
  return found.findings.length > 0 ? exitCode.failed : exitCode.done;
}

/** Converts a window to the documented JSON: times in UTC with microseconds, positions as PostgreSQL writes them. */
function asJson({ timelines, current, findings }: BackupWindow) {
  const moment = ({ at, lsn }: Moment) => ({ time: formatTime(at), lsn: formatLsn(lsn) });
  return {
    current,
    timelines: timelines.map(({ timeline, parent, ranges, gaps }) => ({
      timeline,
      parent: parent === undefined ? null : { timeline: parent.timeline, lsn: formatLsn(parent.lsn) },
      ranges: ranges.map(({ from, to, backups }) => ({ from: moment(from), to: moment(to), backups })),
      gaps: gaps.map(({ from, to, segment }) => ({
        from: moment(from),
        to: to === undefined ? null : moment(to),
        segment,
      })),
    })),
    findings,
  };
}

function describe({ timelines, current, findings }: BackupWindow): string {
  const heads = ["timeline", "", "from", "to", "LSN", "backups"];
  const rows = timelines.flatMap((timeline) => rowsOf(timeline));
  const forks = timelines.flatMap(({ timeline, parent }) =>
    parent === undefined ? [] : [`timeline ${timeline} left timeline ${parent.timeline} at ${formatLsn(parent.lsn)}`],
  );
  return [
    ...(rows.length > 0 ? [table(heads, rows), ""] : ["nothing can be restored", ""]),
    ...forks,
    `current timeline: ${current}`,
    ...findings.flatMap(line),
  ].join("\n");
}

function rowsOf({ timeline, ranges, gaps }: TimelineWindow): string[][] {
  const rows = [
    ...ranges.map(({ from, to, backups }) => ({ from, to, kind: "restorable", backups: backups.join(", ") })),
    ...gaps.map(({ from, to, segment }) => ({
      from,
      to,
      kind: style("red", "gap"),
      backups: `from the segment ${segment}`,
    })),
  ].sort((one, other) => Number(one.from.lsn - other.from.lsn) || (one.kind === "restorable" ? -1 : 1));
  return rows.map(({ from, to, kind, backups }) => [
    String(timeline),
    kind,
    displayTime(from.at),
    to === undefined ? "now" : displayTime(to.at),
    `${formatLsn(from.lsn)}..${to === undefined ? "" : formatLsn(to.lsn)}`,
    backups,
  ]);
}

function line({ level, text, hint }: Finding): string[] {
  const word = level === "wrong" ? style("red", "wrong") : style("yellow", "unknown");
  return [`${word}     ${text}`, ...(hint === undefined ? [] : [`          ${hint}`])];
}
