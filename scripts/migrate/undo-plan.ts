import type { Client } from "pg";
import { exitCode, OperationError } from "../errors/operation-error.ts";
import { statementSpans } from "../sql/statements.ts";
import type { Connection } from "../target/connection.ts";
import type { CommittedMigration } from "./committed.ts";
import { type DownFile, downFilename, readDownFile } from "./down-file.ts";
import { readAppliedEntries } from "./down-ledger.ts";
import { findMigration, withoutAllowed } from "./selection.ts";
import type { AppliedMigration, MigrationProblem } from "./status.ts";
import { requireKnown, requireNoProblems, statusOf } from "./verify.ts";

/** How far back. Both absent: one step. */
export interface UndoSelection {
  /** How many files, newest first. */
  steps?: number | undefined;
  /** The file that stays applied with those before it, by number or name; `0`: none stays. */
  to?: string | undefined;
  /** Names of files whose problem is accepted for this run. */
  allow?: readonly string[] | undefined;
}

/** An applied file that is to be undone. */
export interface PlannedUndo {
  filename: string;
  hash: string;
  /** Hex, of the migration's file as it was applied; empty where neither ledger nor folder tells. */
  sha256: string;
  down: DownFile;
  /** Whether the way back is another than the one beside the migration when it was applied. */
  downChanged: boolean;
}

/** What of an applied file makes it unsafe to run its way back; problems of files that are pending do not. */
const inTheWay: readonly MigrationProblem["kind"][] = ["edited", "missing", "reordered"];

/**
 * What is to be undone, newest first, after all checks. Issues no DDL.
 *
 * @throws OperationError: something is wrong with what is applied; (not allowed) a file has no way back; (usage) a selection that does not fit
 */
export async function planUndo(
  client: Client,
  connection: Connection,
  folder: string,
  files: readonly CommittedMigration[],
  { steps, to, allow = [] }: UndoSelection,
): Promise<PlannedUndo[]> {
  const status = await statusOf(client, files);
  requireKnown(status, connection);
  const { problems } = withoutAllowed(status, allow, files);
  requireNoProblems(problems.filter(({ kind }) => inTheWay.includes(kind)));
  const chosen = select(status.applied, files, { steps, to }).reverse();
  const entries = await readAppliedEntries(client);
  const found = await Promise.all(
    chosen.map(async ({ filename, hash }) => ({ filename, hash, down: await readDownFile(folder, filename) })),
  );
  const faults = found.flatMap(({ filename, down }) => wayBackFault(filename, down));
  if (faults.length > 0) throw noWayBack(faults);
  const planned = found.flatMap(({ filename, hash, down }) => {
    if (down === undefined) return [];
    const entry = entries.get(hash);
    const sha256 = entry?.sha256 ?? files.find((file) => file.hash === hash)?.sha256 ?? "";
    return [{ filename, hash, sha256, down, downChanged: entry !== undefined && entry.downSha256 !== down.sha256 }];
  });
  requireOneStatement(planned);
  return planned;
}

/** The applied files that go, oldest first. */
function select(
  applied: readonly AppliedMigration[],
  files: readonly CommittedMigration[],
  { steps, to }: Pick<UndoSelection, "steps" | "to">,
): AppliedMigration[] {
  if (steps !== undefined && to !== undefined)
    throw new OperationError("--steps and --to exclude each other.", { exitCode: exitCode.usage });
  if (to === undefined) {
    const wanted = steps ?? 1;
    if (steps !== undefined && applied.length > 0 && steps > applied.length) {
      throw new OperationError(`${steps} were to be undone, and ${applied.length} are applied.`, {
        remedy: "`--to 0` undoes all of them.",
        exitCode: exitCode.usage,
      });
    }
    return applied.slice(-wanted);
  }
  if (/^0+$/.test(to)) return [...applied];
  const { filename } = findMigration(files, to);
  const stays = applied.findIndex((each) => each.filename === filename);
  if (stays === -1) {
    throw new OperationError(`${filename} is not applied, and was to stay so.`, {
      remedy: "Give --to a file that `migrate status` lists as applied, or 0.",
      exitCode: exitCode.usage,
    });
  }
  return applied.slice(stays + 1);
}

function wayBackFault(filename: string, down: DownFile | undefined): string[] {
  if (down === undefined)
    return [`- ${filename} has no way back: committed/${downFilename(filename)} is not there, or empty`];
  return down.irreversible === undefined ? [] : [`- ${filename} is irreversible: ${down.irreversible}`];
}

function noWayBack(faults: readonly string[]): OperationError {
  return new OperationError(["Not everything can be undone, so nothing was:", ...faults].join("\n"), {
    remedy:
      "Mend it by a new migration; or write the file with the SQL that takes back what the migration made. `--! Irreversible: reason` as its first line says that there is no way.",
    exitCode: exitCode.notAllowed,
  });
}

/** Outside a transaction the server takes one statement at a time. */
function requireOneStatement(planned: readonly PlannedUndo[]): void {
  const faults = planned
    .filter(({ down }) => !down.transactional)
    .map(({ down }) => ({ down, count: statementSpans(down.text).length }))
    .filter(({ count }) => count !== 1)
    .map(({ down, count }) => `- ${down.filename} has --! no-transaction and ${count} statements`);
  if (faults.length === 0) return;
  throw new OperationError(["A file outside a transaction holds exactly one statement:", ...faults].join("\n"), {
    remedy: "Leave one statement in it; what can run in a transaction goes into the way back of another migration.",
  });
}
