import { join } from "node:path";
import type { Command } from "commander";
import { isInventedSeed } from "../../infra/plan/real-data.ts";
import { readDatabaseFile } from "../database/database-file.ts";
import { describeHolder } from "../database/deployment-lock.ts";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import type { SeedEvent } from "../seed/apply.ts";
import type { SeedInfo } from "../seed/info.ts";
import { databaseOption, jsonOption, stackOption, urlOption } from "./cli/options.ts";
import { table } from "./cli/output.ts";
import { action, type Run } from "./cli/run.ts";
import { resolveTarget, type Target, type TargetOptions } from "./cli/target.ts";

interface SeedOptions extends TargetOptions {
  set?: string[];
}

export function registerSeed(program: Command): void {
  const seed = program.command("seed").description("seeds of a database");
  const verb = (name: string, description: string) =>
    seed
      .command(name)
      .description(description)
      .addOption(stackOption())
      .addOption(databaseOption())
      .addOption(urlOption())
      .option("--set <names...>", "the seed sets, in order (default: the stack's)")
      .addOption(jsonOption());
  verb("apply", "run the seed files that are new or changed").action(action<SeedOptions, []>(apply));
  verb("info", "what is seeded, what would run, and the logins of test users").action(action<SeedOptions, []>(info));
}

async function apply(run: Run, options: SeedOptions) {
  const { applySeeds } = await import("../seed/apply.ts");
  const target = await resolveTarget(run, options);
  const sets = await setsOf(run, options, target);
  const { connection, folder } = target;
  const onEvent = (event: SeedEvent) => showEvent(run, event);
  const result = await applySeeds({ connection, folder, sets, onEvent, signal: run.signal, runId: run.runId });
  run.out.answer(
    result,
    () => `${target.label}: ${result.applied.length} applied, ${result.skipped.length} as they were`,
  );
  return exitCode.done;
}

async function info(run: Run, options: SeedOptions) {
  const { readKnownSeedInfo } = await import("../seed/info.ts");
  const target = await resolveTarget(run, options);
  const sets = await setsOf(run, options, target);
  const { files, withoutFile } = await readKnownSeedInfo(target.connection, target.folder, sets);
  run.out.answer({ files, withoutFile }, () => describeInfo(target, files, withoutFile.length));
  return files.some(({ state }) => state !== "current") ? exitCode.pending : exitCode.done;
}

function describeInfo(target: Target, files: readonly SeedInfo[], withoutFile: number): string {
  const rows = files.map(({ set, filename, title, state }) => [set, filename, state, title ?? ""]);
  const logins = files.flatMap((file) => file.logins.map(({ user, password }) => `  ${user} / ${password}`));
  return [
    `${target.label}:`,
    table(["set", "file", "state", "title"], rows),
    ...(logins.length > 0 ? ["", "test logins:", ...logins] : []),
    ...(withoutFile > 0 ? ["", `${withoutFile} recorded, whose file is gone`] : []),
  ].join("\n");
}

/** The sets that are named, else those of the stack. */
async function setsOf(run: Run, options: SeedOptions, target: Target): Promise<string[]> {
  const file = await readDatabaseFile(join(run.root, "migrations"), target.database);
  const sets = options.set ?? target.seedSets;
  if (sets === undefined) {
    throw new OperationError("Which seed sets is not known where only a connection is given.", {
      remedy: `Say them with --set: ${file.seedSets.join(", ")}.`,
      exitCode: exitCode.usage,
    });
  }
  const unknown = sets.filter((set) => !file.seedSets.includes(set));
  if (unknown.length > 0) {
    throw new OperationError(
      `${target.database} has no seed set ${unknown.map((set) => `"${set}"`).join(", ")}. It has: ${file.seedSets.join(", ")}.`,
      {
        exitCode: exitCode.usage,
      },
    );
  }
  const invented = sets.filter(isInventedSeed);
  if (target.protected === true && invented.length > 0) {
    throw new OperationError(`${target.label} is protected: it takes no ${invented.join(" and no ")} seeds.`, {
      remedy: "They hold invented data, and logins whose passwords are known. Apply them to another stack.",
      exitCode: exitCode.notAllowed,
    });
  }
  return sets;
}

function showEvent(run: Run, event: SeedEvent): void {
  if (event.kind === "waiting") run.out.note(`waiting for another deployer: ${describeHolder(event.holder)}`);
  if (event.kind === "applied")
    run.out.note(`applied ${event.set}/${event.filename} in ${Math.round(event.durationMs)} ms`);
}
