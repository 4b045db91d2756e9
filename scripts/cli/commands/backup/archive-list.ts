import type { BackupFinding } from "../../../backup/findings.ts";
import type { StoredArchive } from "../../../backup/physical/store.ts";
import { ageInSeconds, ago } from "../../../core/age.ts";
import { type ExitCode, exitCode } from "../../../core/operation-error.ts";
import type { CommandContext } from "../../context.ts";
import { style } from "../../output.ts";
import { table } from "../../table.ts";
import { archiveSettings } from "./archive-place.ts";
import { describeNewestDumps, type ListedDumps } from "./list-dumps.ts";
import { codeOf, describeFindings } from "./list-findings.ts";
import { bytes } from "./texts.ts";

/**
 * Lists the physical archives of a stack's embedded server, without comparing checksums, and its newest dumps.
 *
 * @param dumped dumps, and problems with them
 */
export async function listEmbedded(
  context: CommandContext,
  stack: string,
  { dumps, findings }: { dumps: ListedDumps; findings: BackupFinding[] },
  now: Date,
): Promise<ExitCode> {
  const { listArchives } = await import("../../../backup/physical/store.ts");
  const { folder } = archiveSettings(context);
  const archives = (await listArchives(folder)).filter(
    ({ metadata }) => metadata === undefined || metadata.source === stack,
  );
  const answer = archives.map(({ metadata, ...archive }) => {
    const age = metadata === undefined ? null : Math.round(ageInSeconds(metadata.finishedAt, now));
    return { ...archive, ageSeconds: age, ...metadata };
  });
  context.out.answer({ stack, backups: [], folder, checksumsCompared: false, archives: answer, dumps, findings }, () =>
    [describe(archives, folder, now), "", describeNewestDumps(dumps), ...describeFindings(findings)].join("\n"),
  );
  if (archives.some(({ state }) => state === "damaged")) return exitCode.wrong;
  const code = codeOf(findings);
  return code === exitCode.done && archives.some(({ state }) => state === "unknown") ? exitCode.failed : code;
}

function describe(archives: readonly StoredArchive[], folder: string, now: Date): string {
  if (archives.length === 0) return `no physical archives in ${folder}; make one with \`npm run pgw -- backup create\``;
  const rows = archives.map(({ id, state, metadata }) => [
    id,
    state === "complete" ? state : style("red", state),
    ...(metadata === undefined
      ? ["", "", "", "", ""]
      : [
          ago(ageInSeconds(metadata.finishedAt, now)).replace(/ ago$/, ""),
          bytes(metadata.clusterBytes),
          bytes(metadata.file.bytes),
          metadata.recipients.length === 0 ? "" : "age",
          metadata.databases.map(({ name }) => name).join(", "),
        ]),
  ]);
  return [
    table(["physical archive", "state", "age", "cluster", "archive", "encrypted", "databases"], rows),
    ...archives.flatMap(({ id, reasons }) => reasons.map((reason) => `${id}: ${reason}`)),
    `in ${folder}; checksums were not compared, \`backup restore\` compares them`,
  ].join("\n");
}
