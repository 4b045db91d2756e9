import type { Command } from "commander";
import type { BackupFinding } from "../../../backup/findings.ts";
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
import { backupsOf, formerGenerations } from "./stack.ts";

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
  const { listFormer } = await import("../../../backup/former-generations.ts");
  const place = await backupsOf(context, stack, { repository });
  const { backups, dockerHost } = place;
  showStep(context.out, "reading the repository");
  const { found, former } = await withDocker(dockerHost, async (docker) => {
    const current = await findWindow(docker, backups);
    const windows: FormerWindow[] = [];
    for (const each of formerGenerations(place)) {
      const listed = await listFormer(docker, each);
      if (listed.finding !== undefined) current.findings.push(listed.finding);
      // A generation without backups was removed.
      if (listed.backups.length > 0)
        windows.push({ generation: listed.generation, window: await findWindow(docker, each) });
    }
    return { found: current, former: windows };
  });
  context.out.endStep();
  const answer = former.length === 0 ? {} : { formerGenerations: former.map(formerAsJson) };
  context.out.answer({ stack, ...asJson(found), ...answer }, () =>
    [describe(found), ...former.map(describeFormer)].join("\n\n"),
  );
  const codes = [found, ...former.map((each) => each.window)].map(codeOf);
  return (
    codes.find((code) => code === exitCode.wrong) ?? codes.find((code) => code === exitCode.failed) ?? exitCode.done
  );
}

/** Window of a former generation of the repository. */
interface FormerWindow {
  generation: number;
  window: BackupWindow;
}

function codeOf({ timelines, findings }: BackupWindow): ExitCode {
  const hasGap = timelines.some(({ gaps }) => gaps.length > 0);
  if (timelines.length === 0 || hasGap || findings.some(({ level }) => level === "wrong")) return exitCode.wrong;
  return findings.length > 0 ? exitCode.failed : exitCode.done;
}

function formerAsJson({ generation, window: { timelines, findings, current } }: FormerWindow) {
  return { generation, ...asJson({ timelines, findings, current }) };
}

function describeFormer({ generation, window: found }: FormerWindow): string {
  return `generation ${generation} of the repository (restore it with --generation ${generation}):\n${describe(found)}`;
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

function line({ level, text, hint }: BackupFinding): string[] {
  const word = level === "wrong" ? style("red", "wrong") : style("yellow", "unknown");
  return [`${word}     ${text}`, ...(hint === undefined ? [] : [`          ${hint}`])];
}
