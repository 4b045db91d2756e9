import type { Command } from "commander";
import { exitCode } from "../../errors/operation-error.ts";
import type { SeedInfo } from "../../seed/info.ts";
import type { SeededRows } from "../../seed/seeded-rows.ts";
import { action, type Run } from "../cli/run.ts";
import { table } from "../cli/table.ts";
import { resolveTarget, type Target } from "../cli/target.ts";
import { setsOf } from "./sets.ts";
import { type SeedOptions, seedVerb } from "./verb.ts";

export function registerSeedInfo(seed: Command): void {
  seedVerb(
    seed,
    "info",
    "what is seeded and what became of it, what would run (exit code 4), and the logins of test users",
  ).action(action<SeedOptions, []>(info));
}

async function info(run: Run, options: SeedOptions) {
  const { readKnownSeedInfo } = await import("../../seed/info.ts");
  const { readSeededRows } = await import("../../seed/seeded-rows.ts");
  const target = await resolveTarget(run, options);
  const sets = await setsOf(run, options, target);
  const known = await readKnownSeedInfo(target.connection, target.folder, sets);
  const rows = await readSeededRows(target.connection, sets);
  const rowsOf = ({ set, filename }: SeedInfo) => rows.find((each) => each.set === set && each.filename === filename);
  const files = known.files.map((file) => ({ ...file, rows: rowsOf(file) ?? null }));
  run.out.answer({ files, withoutFile: known.withoutFile }, () =>
    describeInfo(target, files, known.withoutFile.length),
  );
  return files.some(({ state }) => state !== "current") ? exitCode.pending : exitCode.done;
}

function describeInfo(
  target: Target,
  files: readonly (SeedInfo & { rows: SeededRows | null })[],
  withoutFile: number,
): string {
  const lines = files.map(({ set, filename, title, state, rows }) => [
    set,
    filename,
    state,
    rows === null ? "" : describeRows(rows),
    title ?? "",
  ]);
  const logins = files.flatMap((file) => file.logins.map(({ user, password }) => `  ${user} / ${password}`));
  return [
    `${target.label}:`,
    table(["set", "file", "state", "rows", "title"], lines),
    ...(logins.length > 0 ? ["", "test logins:", ...logins] : []),
    ...(withoutFile > 0 ? ["", `${withoutFile} recorded, whose file is gone`] : []),
  ].join("\n");
}

function describeRows({ recorded, changed, gone }: SeededRows): string {
  const since = [
    ...(changed === 0 ? [] : [`${changed.toLocaleString("en")} changed since`]),
    ...(gone === 0 ? [] : [`${gone.toLocaleString("en")} gone`]),
  ];
  return [recorded.toLocaleString("en"), ...since].join(", ");
}
