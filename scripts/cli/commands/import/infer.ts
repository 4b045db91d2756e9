import { stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { unlessAbsent } from "../../../core/absent.ts";
import { writeFileAtomically } from "../../../core/atomic-file.ts";
import { exitCode, OperationError } from "../../../core/operation-error.ts";
import type { CreationProposal } from "../../../import/infer/infer-import.ts";
import type { Proposal } from "../../../import/infer/proposal.ts";
import type { Source } from "../../../import/source/source.ts";
import { printable } from "../../../import/values/shown.ts";
import type { CommandContext } from "../../context.ts";
import { ProgressLine } from "../../progress-line.ts";
import { showStep } from "../../step.ts";
import { resolveTarget, type Target, targetToChange } from "../../target.ts";
import { updateTypes } from "../migrate/commit.ts";
import { renewConnections } from "../migrate/pooled-connections.ts";
import { requireUnprotected } from "../migrate/unprotected.ts";
import { showMigrationEvent } from "../migrate/up.ts";
import { type ImportOptions, importBy } from "./perform.ts";

type Ending = "ts" | "mjs" | "json";
const endings: readonly Ending[] = ["ts", "mjs", "json"];

/** Proposes a map, and with `--create` tables, and writes both to files. */
export async function inferFrom(
  context: CommandContext,
  options: ImportOptions,
  kind: "sqlite" | "json",
  path: string,
) {
  const changes = options.create && !options.dryRun && !options.draft;
  const target = await (changes ? targetToChange : resolveTarget)(context, options);
  if (options.draft && !options.create)
    throw new OperationError("--draft needs --create.", { hint: "Add --create.", exitCode: exitCode.usage });
  if (options.create) requireUnprotected(target, "Create tables");
  const mapFile = await chooseMapFile(options, target, kind);
  const { requireNoDraft } = await import("../../../programs/create-tables.ts");
  if (options.create) await requireNoDraft(target.folder);
  const { openSource } = await import("../../../import/source/open-source.ts");
  const source = await openSource(kind, path);
  try {
    return await (options.create ? create : propose)(context, options, target, source, mapFile);
  } finally {
    await source.close();
  }
}

interface MapFile {
  path: string;
  ending: Ending;
}

/** Returns the file that the map is written to. One that exists is replaced only if that was asked for. */
async function chooseMapFile({ map, overwrite }: ImportOptions, { folder }: Target, kind: string): Promise<MapFile> {
  const path = map === undefined ? join(folder, "import", `${kind}.ts`) : resolve(map);
  const ending = endings.find((each) => path.endsWith(`.${each}`));
  if (ending === undefined)
    throw new OperationError(`The map ${path} has none of the endings .ts, .mjs and .json.`, {
      hint: "Correct --map.",
      exitCode: exitCode.usage,
    });
  // The first of them that exists is the one that an import reads.
  const others = map === undefined ? endings.map((each) => join(folder, "import", `${kind}.${each}`)) : [path];
  for (const each of others) {
    if ((await unlessAbsent(stat(each))) === undefined || (overwrite && each === path)) continue;
    throw new OperationError(`The map ${each} exists already. Nothing was written.`, {
      hint: each === path ? "Name another file with --map, or add --overwrite." : "Name another file with --map.",
      exitCode: exitCode.notAllowed,
    });
  }
  return { path, ending };
}

/** Shows how many rows were read. */
function showReading(context: CommandContext): (table: string, rows: number) => void {
  let text = "reading all values";
  const line = new ProgressLine();
  context.out.use(line);
  line.start(() => text, { announce: true });
  return (table, rows) => {
    text = `reading all values of ${table}: ${rows.toLocaleString("en")} rows`;
  };
}

async function propose(context: CommandContext, options: ImportOptions, target: Target, source: Source, file: MapFile) {
  const { inferMap } = await import("../../../import/infer/infer-map.ts");
  const { connection, database, label } = target;
  const proposal = await inferMap({
    connection,
    database,
    source,
    onProgress: showReading(context),
    signal: context.signal,
  });
  const text = await writeMap(options, proposal, file);
  context.out.answer({ ...answerOf(context, options, proposal, file), text }, () =>
    [...linesOf(context, options, label, proposal, file), ...(options.dryRun ? [text] : [])].join("\n"),
  );
  return exitCode.done;
}

async function create(context: CommandContext, options: ImportOptions, target: Target, source: Source, file: MapFile) {
  const { inferTables } = await import("../../../import/infer/infer-import.ts");
  const { createTables, draftTables } = await import("../../../programs/create-tables.ts");
  const { connection, admin, docker, folder, label } = target;
  const proposal = await inferTables({ connection, source, onProgress: showReading(context), signal: context.signal });
  const text = await writeMap(options, proposal, file);
  const answer = { ...answerOf(context, options, proposal, file), leftOut: proposal.leftOut };
  const lines = linesOf(context, options, label, proposal, file);
  const message = `tables of ${basename(source.path).replace(/[^\w.-]+/g, "-")}`;
  if (options.dryRun) {
    const { up, down } = proposal;
    context.out.answer({ ...answer, text, up, down }, () => [...lines, text, up, down].join("\n"));
    return exitCode.done;
  }
  if (options.draft) {
    const draft = relative(context.root, await draftTables(folder, proposal, message));
    context.out.answer({ ...answer, draft }, () =>
      [...lines, `wrote ${draft} and its down migration: \`migrate commit\` tries, commits and applies it`].join("\n"),
    );
    return exitCode.done;
  }
  const { filename, warnings } = await createTables(
    {
      ...{ connection, admin, docker, folder, message },
      onProgress: (step) => showStep(context.out, step),
      onEvent: (event) => showMigrationEvent(context, event),
      signal: context.signal,
      runId: context.runId,
    },
    proposal,
  );
  for (const warning of warnings) context.out.warn(warning);
  await renewConnections(context, target, options);
  await updateTypes(context, target);
  const before = {
    answer: { ...answer, migration: filename },
    lines: [...lines, `committed/${filename} is committed and applied`],
  };
  return importBy(context, options, target, source, proposal.map, before);
}

async function writeMap(options: ImportOptions, proposal: Proposal, { path, ending }: MapFile): Promise<string> {
  const { mapText } = await import("../../../import/infer/map-text.ts");
  const text = mapText(proposal, ending);
  if (!options.dryRun) writeFileAtomically(path, text, { mode: 0o644, exclusive: options.overwrite !== true });
  return text;
}

function answerOf(context: CommandContext, { dryRun }: ImportOptions, { map, unsure }: Proposal, file: MapFile) {
  return {
    map: relative(context.root, file.path),
    written: dryRun !== true,
    tables: map.tables.map(({ from, to }) => ({ from, to })),
    unsure,
  };
}

function linesOf(
  context: CommandContext,
  { dryRun }: ImportOptions,
  label: string,
  { map, unsure, leftOut }: Proposal | CreationProposal,
  file: MapFile,
): string[] {
  const path = relative(context.root, file.path);
  return [
    `${label}: ${dryRun ? "would write" : "wrote"} ${path}, a map of ${map.tables.length} tables`,
    ...unsure.map((each) => printable(`not certain: ${each}`)),
    ...leftOut.map((each) => printable(`left out: ${each}`)),
  ];
}
