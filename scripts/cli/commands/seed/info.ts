import type { Command } from "commander";
import { exitCode } from "../../../core/operation-error.ts";
import type { readKnownSeedInfo, SeedInfo } from "../../../seed/info.ts";
import type { SeededRows } from "../../../seed/seeded-rows.ts";
import { action, type CommandContext } from "../../context.ts";
import { table } from "../../table.ts";
import { resolveTargets, type Target } from "../../target.ts";
import { setsOf } from "./sets.ts";
import { type SeedOptions, seedVerb } from "./verb.ts";

export function registerSeedInfo(seed: Command): void {
  seedVerb(
    seed,
    "info",
    "show the seed files with the state of their rows, and the logins of test users (exit code 4 if files are pending)",
  ).action(action<SeedOptions, []>(info));
}

async function info(context: CommandContext, options: SeedOptions) {
  const found: SeededDatabase[] = [];
  for (const target of await resolveTargets(context, options)) found.push(await read(context, options, target));
  const [only] = found;
  const answer =
    found.length === 1 && only !== undefined
      ? { files: only.files, withoutFile: only.withoutFile }
      : { databases: found.map(({ target, ...known }) => ({ database: target.database, ...known })) };
  context.out.answer(answer, () =>
    found.map(({ target, files, withoutFile }) => describeInfo(target, files, withoutFile.length)).join("\n\n"),
  );
  return found.some(({ files }) => files.some(({ state }) => state !== "current")) ? exitCode.pending : exitCode.done;
}

/** State of the seeds of one database. */
interface SeededDatabase {
  target: Target;
  files: (SeedInfo & { rows: SeededRows | null })[];
  withoutFile: Awaited<ReturnType<typeof readKnownSeedInfo>>["withoutFile"];
}

async function read(context: CommandContext, options: SeedOptions, target: Target): Promise<SeededDatabase> {
  const { readKnownSeedInfo } = await import("../../../seed/info.ts");
  const { readSeededRows } = await import("../../../seed/seeded-rows.ts");
  const sets = await setsOf(context, options, target);
  const known = await readKnownSeedInfo(target.connection, target.folder, sets);
  const rows = await readSeededRows(target.connection, sets);
  const rowsOf = ({ set, filename }: SeedInfo) => rows.find((each) => each.set === set && each.filename === filename);
  const files = known.files.map((file) => ({ ...file, rows: rowsOf(file) ?? null }));
  return { target, files, withoutFile: known.withoutFile };
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
    ...(withoutFile > 0 ? ["", `${withoutFile} recorded whose file is gone`] : []),
  ].join("\n");
}

function describeRows({ recorded, changed, gone }: SeededRows): string {
  const since = [
    ...(changed === 0 ? [] : [`${changed.toLocaleString("en")} changed since`]),
    ...(gone === 0 ? [] : [`${gone.toLocaleString("en")} gone`]),
  ];
  return [recorded.toLocaleString("en"), ...since].join(", ");
}
