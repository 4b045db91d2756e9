import type { Client } from "pg";
import type { Connection } from "../connection/connection.ts";
import type { FileSource } from "../core/file-source.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";
import { statementSpans } from "../sql/statements.ts";
import type { CommittedMigration } from "./committed.ts";
import { requireContent } from "./content.ts";
import { checkedDownFile, type DownFile, downFilename, readDownFile } from "./down-file.ts";
import { readAppliedEntries } from "./down-ledger.ts";
import { findMigration, withoutAllowed } from "./selection.ts";
import type { AppliedMigration, MigrationProblem } from "./status.ts";
import { requireKnown, requireNoProblems, statusOf } from "./verify.ts";

/** Range of the revert. Default: one step. */
export interface RevertSelection {
  /** Number of files, newest first. */
  steps?: number | undefined;
  /** The last file that stays applied, by number or name; `0` reverts all. */
  to?: string | undefined;
  /** Names of files whose problem is accepted for this run. */
  allow?: readonly string[] | undefined;
}

/** An applied file to revert. */
export interface PlannedRevert {
  filename: string;
  hash: string;
  /** SHA-256 of the migration's file as it was applied, in hex; empty if neither ledger nor folder has it. */
  sha256: string;
  down: DownFile;
  /** True if the down migration has changed since the migration was applied. */
  downChanged: boolean;
}

/** Problems of an applied file that make it unsafe to run its down migration. Problems of pending files do not. */
const inTheWay: readonly MigrationProblem["kind"][] = ["edited", "missing", "reordered"];

/**
 * Plans which migrations to revert, newest first, after all checks. Issues no DDL.
 *
 * @throws OperationError: if there are problems with what is applied; (exit code notAllowed) if a file has no down
 * migration; (exit code usage) if the selection is not valid
 */
export async function planRevert(
  client: Client,
  connection: Connection,
  source: FileSource,
  files: readonly CommittedMigration[],
  { steps, to, allow = [] }: RevertSelection,
): Promise<PlannedRevert[]> {
  const status = await statusOf(client, files);
  requireKnown(status, connection);
  const { problems } = withoutAllowed(status, allow, files);
  requireNoProblems(problems.filter(({ kind }) => inTheWay.includes(kind)));
  const chosen = select(status.applied, files, { steps, to }).reverse();
  const entries = await readAppliedEntries(client);
  const found = chosen.map(({ filename, hash }) => ({ filename, hash, down: readDownFile(source, filename) }));
  const faults = found.flatMap(({ filename, down }) => downFault(filename, down));
  if (faults.length > 0) throw notReversible(faults);
  const planned = found.flatMap(({ filename, hash, down }) => {
    if (down === undefined) return [];
    const entry = entries.get(hash);
    const sha256 = entry?.sha256 ?? files.find((file) => file.hash === hash)?.sha256 ?? "";
    return [{ filename, hash, sha256, down, downChanged: entry !== undefined && entry.downSha256 !== down.sha256 }];
  });
  requireOneStatement(planned);
  await requireContent(planned.map(({ down }) => checkedDownFile(down)));
  return planned;
}

/** Returns the applied files to revert, oldest first. */
function select(
  applied: readonly AppliedMigration[],
  files: readonly CommittedMigration[],
  { steps, to }: Pick<RevertSelection, "steps" | "to">,
): AppliedMigration[] {
  if (steps !== undefined && to !== undefined)
    throw new OperationError("--steps and --to exclude each other.", { exitCode: exitCode.usage });
  if (to === undefined) {
    const wanted = steps ?? 1;
    if (steps !== undefined && applied.length > 0 && steps > applied.length) {
      throw new OperationError(`--steps is ${steps}, but only ${applied.length} are applied.`, {
        hint: "`--to 0` reverts all of them.",
        exitCode: exitCode.usage,
      });
    }
    return applied.slice(-wanted);
  }
  if (/^0+$/.test(to)) return [...applied];
  const { filename } = findMigration(files, to);
  const stays = applied.findIndex((each) => each.filename === filename);
  if (stays === -1) {
    throw new OperationError(`--to names ${filename}, but this migration is not applied.`, {
      hint: "Use a file that `migrate status` lists as applied, or 0.",
      exitCode: exitCode.usage,
    });
  }
  return applied.slice(stays + 1);
}

function downFault(filename: string, down: DownFile | undefined): string[] {
  if (down === undefined)
    return [`- ${filename} has no down migration: committed/${downFilename(filename)} is missing or empty`];
  return down.irreversible === undefined ? [] : [`- ${filename} is irreversible: ${down.irreversible}`];
}

function notReversible(faults: readonly string[]): OperationError {
  return new OperationError(
    ["Some of these migrations cannot be reverted, so nothing was reverted:", ...faults].join("\n"),
    {
      hint: "Write a new migration that corrects the schema, or write the down migration. The first line `--! Irreversible: reason` marks a migration that cannot be reverted.",
      exitCode: exitCode.notAllowed,
    },
  );
}

/** Requires one statement in each down migration that runs outside a transaction. */
function requireOneStatement(planned: readonly PlannedRevert[]): void {
  const faults = planned
    .filter(({ down }) => !down.transactional)
    .map(({ down }) => ({ down, count: statementSpans(down.text).length }))
    .filter(({ count }) => count !== 1)
    .map(({ down, count }) => `- ${down.filename} has --! no-transaction and ${count} statements`);
  if (faults.length === 0) return;
  throw new OperationError(
    ["A file that runs outside a transaction must contain exactly one statement:", ...faults].join("\n"),
    {
      hint: "Keep one statement in it. Move statements that can run in a transaction to another migration's down migration.",
    },
  );
}
