import type { Command } from "commander";
import { describeHolder } from "../database/deployment-lock.ts";
import { exitCode } from "../errors/operation-error.ts";
import type { MigrationEvent } from "../migrate/apply.ts";
import { databaseOption, jsonOption, stackOption, urlOption } from "./cli/options.ts";
import { table } from "./cli/output.ts";
import { action, type Run } from "./cli/run.ts";
import { resolveTarget, type TargetOptions } from "./cli/target.ts";

export function registerMigrate(program: Command): void {
  const migrate = program.command("migrate").description("committed migrations of a database");
  const verb = (name: string, description: string) =>
    migrate
      .command(name)
      .description(description)
      .addOption(stackOption())
      .addOption(databaseOption())
      .addOption(urlOption())
      .addOption(jsonOption());
  verb("up", "apply what is pending").action(action<TargetOptions, []>(up));
  verb("status", "what is applied and what is pending (exit code 4), or does not fit (5)").action(
    action<TargetOptions, []>(status),
  );
  verb("verify", "check that what is applied is what the files say (exit code 5 where not)").action(
    action<TargetOptions, []>(verify),
  );
}

async function up(run: Run, options: TargetOptions) {
  const { applyMigrations } = await import("../migrate/apply.ts");
  const { connection, folder, label } = await resolveTarget(run, options);
  const onEvent = (event: MigrationEvent) => showEvent(run, event);
  const { applied } = await applyMigrations({ connection, folder, onEvent, signal: run.signal, runId: run.runId });
  run.out.answer({ applied }, () =>
    applied.length === 0 ? `${label}: nothing pending` : `${label}: ${applied.length} applied`,
  );
  return exitCode.done;
}

async function status(run: Run, options: TargetOptions) {
  const { describeProblem, readKnownStatus } = await import("../migrate/verify.ts");
  const { connection, folder, label } = await resolveTarget(run, options);
  const { applied, pending, problems } = await readKnownStatus(connection, folder);
  run.out.answer({ applied, pending, problems }, () => {
    const rows = [
      ...applied.map((each) => [
        each.filename,
        "applied",
        each.appliedAt.toISOString(),
        each.durationMs === undefined ? "" : `${Math.round(each.durationMs)} ms`,
        each.appliedBy ?? "",
      ]),
      ...pending.map((each) => [each.filename, each.interrupted ? "interrupted" : "pending", "", "", ""]),
    ];
    const counts = `${label}: ${applied.length} applied, ${pending.length} pending`;
    const list = rows.length === 0 ? "" : `${table(["migration", "state", "applied at", "took", "by"], rows)}\n`;
    return [`${list}${counts}`, ...problems.map(describeProblem)].join("\n");
  });
  if (problems.length > 0) return exitCode.wrong;
  return pending.length > 0 ? exitCode.pending : exitCode.done;
}

async function verify(run: Run, options: TargetOptions) {
  const { describeProblem, readKnownStatus } = await import("../migrate/verify.ts");
  const { connection, folder, label } = await resolveTarget(run, options);
  const { applied, problems } = await readKnownStatus(connection, folder);
  run.out.answer({ verified: applied.length, problems }, () =>
    problems.length === 0
      ? `${label}: ${applied.length} applied migrations are as their files say`
      : [`${label}: the files do not fit what is applied:`, ...problems.map(describeProblem)].join("\n"),
  );
  return problems.length > 0 ? exitCode.wrong : exitCode.done;
}

function showEvent(run: Run, event: MigrationEvent): void {
  switch (event.kind) {
    case "waiting":
      run.out.note(`waiting for another deployer: ${describeHolder(event.holder)}`);
      return;
    case "hooks-not-run":
      run.out.warn(`hooks of .gmrc are not run: ${event.hooks.join(", ")}`);
      return;
    case "started":
      return;
    case "applied":
      run.out.note(`applied ${event.filename} in ${Math.round(event.durationMs)} ms`);
  }
}
