import { relative } from "node:path";
import type { Command } from "commander";
import { inDatabase } from "../../connection/connection.ts";
import type { Known } from "../../core/known.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import type { DatabaseAdvice } from "../../doctor/index-advice/advise.ts";
import { action, type CommandContext } from "../context.ts";
import { databaseVerb } from "../options.ts";
import { showStep } from "../step.ts";
import { resolveTarget, resolveTargets, type Target, type TargetOptions } from "../target.ts";
import { lineToType } from "../typed-line.ts";
import { describeAdvice } from "./index-advice-text.ts";
import { answerOfDatabases } from "./migrate/verb.ts";

interface IndexAdviceOptions extends TargetOptions {
  migration?: boolean;
}

export function registerIndexAdvice(program: Command): void {
  databaseVerb(
    program,
    "index-advice",
    "name indexes that make the most expensive statements cheaper, as the planner judges them in a scratch cluster; " +
      "changes nothing on the server (exit code 4 if there is advice or a statement is unknown, 5 if there can be none)",
  )
    .option("--migration", "write the draft of a migration that creates the most useful index")
    .action(action<IndexAdviceOptions, []>(indexAdvice));
}

async function indexAdvice(context: CommandContext, options: IndexAdviceOptions) {
  const { adviseIndexes } = await import("../../doctor/index-advice/advise.ts");
  const { migration = false } = options;
  const targets = migration ? [await resolveTarget(context, options)] : await resolveTargets(context, options);
  const answers: { database: string; label: string; answer: Known<DatabaseAdvice>; file?: string | null }[] = [];
  for (const target of targets) {
    const { connection, admin, docker, folder, database, label } = target;
    if (migration) await requireApplied(target);
    showStep(context.out, `${label}: planning statements in a scratch cluster`);
    const observed = inDatabase(admin, connection.database);
    const answer = await adviseIndexes({ connection, admin, observed, docker, folder, signal: context.signal });
    const [first] = answer.known ? answer.advice : [];
    let file: string | null = null;
    if (migration && first !== undefined) {
      const { draftIndex } = await import("../../doctor/index-advice/draft-migration.ts");
      file = relative(context.root, await draftIndex(folder, first));
    }
    answers.push({ database, label, answer, ...(migration ? { file } : {}) });
  }
  context.out.answer(answerOfDatabases(answers.map(({ label: _, answer, ...rest }) => ({ ...rest, ...answer }))), () =>
    answers.map(({ label, answer }) => describeAdvice(label, answer)).join("\n\n"),
  );
  for (const { file } of answers)
    if (typeof file === "string")
      context.out.note(`Wrote ${file}. Test and commit it with: ${lineToType(["migrate", "commit"])}`);
  if (answers.some(({ answer }) => !answer.known)) return exitCode.wrong;
  const isOpen = answers.some(({ answer }) => answer.known && answer.advice.length + answer.unknown.length > 0);
  return isOpen ? exitCode.pending : exitCode.done;
}

/** Checks that the tables are those of the files, because the draft comes after them. */
async function requireApplied({ connection, folder, label }: Target): Promise<void> {
  const { verifyMigrations } = await import("../../migrate/verify.ts");
  const { pending } = await verifyMigrations(connection, folder);
  if (pending.length === 0) return;
  throw new OperationError(`${label} has pending migrations, so its tables are not those of the files.`, {
    hint: `Apply them first: ${lineToType(["migrate", "up"])}`,
  });
}
