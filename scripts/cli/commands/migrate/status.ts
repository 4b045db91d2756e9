import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import type { DraftSummary } from "../../../migrate/authoring/draft-file.ts";
import type { MigrationStatus } from "../../../migrate/status.ts";
import { action, type CommandContext } from "../../context.ts";
import { databaseVerb } from "../../options.ts";
import { table } from "../../table.ts";
import { resolveTargets, type TargetOptions } from "../../target.ts";
import { answerOfDatabases } from "./verb.ts";

export function registerMigrateStatus(migrate: Command): void {
  databaseVerb(
    migrate,
    "status",
    "show applied and pending migrations, and the draft in current.sql, which is never applied (exit code 4 if any " +
      "are pending, 5 if files and database do not match)",
  ).action(action<TargetOptions, []>(status));
}

async function status(context: CommandContext, options: TargetOptions) {
  const { describeProblem, readKnownStatus } = await import("../../../migrate/verify.ts");
  const { describeDraft, readDraftSummary } = await import("../../../migrate/authoring/draft-file.ts");
  const found: DatabaseStatus[] = [];
  for (const { connection, folder, database, label } of await resolveTargets(context, options))
    found.push({
      ...{ database, label, ...(await readKnownStatus(connection, folder)) },
      draft: await readDraftSummary(folder),
    });
  const answers = found.map(({ label: _, ...each }) => each);
  context.out.answer(answerOfDatabases(answers), () =>
    found.map((each) => describe(each, { describeProblem, describeDraft })).join("\n\n"),
  );
  if (found.some(({ problems }) => problems.length > 0)) return exitCode.wrong;
  return found.some(({ pending }) => pending.length > 0) ? exitCode.pending : exitCode.done;
}

type DatabaseStatus = { database: string; label: string; draft: DraftSummary | null } & MigrationStatus;

/** Functions that are loaded with the command. */
interface Descriptions {
  describeProblem: (problem: MigrationStatus["problems"][number]) => string;
  describeDraft: (draft: DraftSummary) => string;
}

function describe(
  { label, applied, pending, problems, draft }: DatabaseStatus,
  { describeProblem, describeDraft }: Descriptions,
): string {
  const rows = [
    ...applied.map((each) => [
      each.filename,
      each.acceptedEdit === undefined ? "applied" : "applied, edited",
      each.appliedAt.toISOString(),
      each.durationMs === undefined ? "" : `${Math.round(each.durationMs)} ms`,
      each.appliedBy ?? "",
    ]),
    ...pending.map((each) => [each.filename, each.interrupted ? "interrupted" : "pending", "", "", ""]),
  ];
  const counts = `${label}: ${applied.length} applied, ${pending.length} pending`;
  const edited = applied.filter(({ acceptedEdit }) => acceptedEdit !== undefined);
  const notes = edited.map(
    ({ filename }) => `- ${filename} was edited after it was applied, as its AllowInvalidHash accepts`,
  );
  const list = rows.length === 0 ? "" : `${table(["migration", "state", "applied at", "took", "by"], rows)}\n`;
  const drafted = draft === null ? [] : [describeDraft(draft)];
  return [`${list}${counts}`, ...notes, ...drafted, ...problems.map(describeProblem)].join("\n");
}
