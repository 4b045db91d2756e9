import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { unlessAbsent } from "../../core/absent.ts";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { exitCode, OperationError } from "../../core/operation-error.ts";
import { decodeUtf8 } from "../../core/utf8.ts";
import type { LineOrigin, SqlSource } from "../../sql/sql-error.ts";
import { statementSpans } from "../../sql/statements.ts";
import { type CurrentMigration, readCurrent, requireRegularFile, writeCurrent } from "../graphile-migrate-authoring.ts";
import { compileIncludes } from "./includes.ts";

/** The down migration of the migration that is being written, next to `current.sql`. */
export const draftDownName = "current.down.sql";
const blankBody = "-- Enter migration here\n";
const blankDown = "-- Enter the down migration here, or as the first line: --! Irreversible: the reason\n";

/** The migration that is being written, and its down migration. */
export interface Draft {
  current: CurrentMigration;
  /** undefined if the file does not exist or holds only comments. */
  down: string | undefined;
  /** The file and line that each line of `down` comes from; undefined if nothing is included. */
  downOrigins: readonly LineOrigin[] | undefined;
}

/** Reads the migration that is being written in a database's folder. */
export async function readDraft(folder: string): Promise<Draft> {
  const current = await readCurrent(folder);
  const downFile = path.join(folder, draftDownName);
  await requireRegularFile(downFile);
  const { text, fault } = decodeUtf8((await unlessAbsent(readFile(downFile))) ?? Buffer.alloc(0));
  if (fault !== undefined) throw new OperationError(`${draftDownName}: ${fault}.`, { exitCode: exitCode.usage });
  const { text: down, origins: downOrigins } = compileIncludes(folder, draftDownName, text);
  return { current, downOrigins, down: isBlank(down) && !/^--! Irreversible/.test(down) ? undefined : down };
}

/** Returns the place of the body in messages. */
export function draftSource({ path: file, text, body, origins }: CurrentMigration): SqlSource {
  // The parser trims the body and ends it with one newline. In the text, only white space follows the body.
  return { file: path.basename(file), text, start: text.trimEnd().length - (body.length - 1), origins };
}

/** Writes the draft of a migration and of its down migration. */
export async function writeDraft(
  folder: string,
  headers: Readonly<Record<string, string | null>>,
  body = blankBody,
  down = blankDown,
): Promise<void> {
  await writeCurrent(folder, headers, body);
  writeFileAtomically(path.join(folder, draftDownName), down, { mode: 0o644 });
}

/** Empties the draft after it was committed. */
export async function clearDraft(folder: string): Promise<void> {
  await writeCurrent(folder, {}, blankBody);
  await rm(path.join(folder, draftDownName), { force: true });
}

/**
 * Requires an empty draft.
 *
 * @throws OperationError (exit code notAllowed) if a migration is being written that would be lost
 */
export function requireBlank({ current, down }: Draft): void {
  const written = !isBlank(current.body) ? current.path : down === undefined ? undefined : draftDownName;
  if (written === undefined) return;
  throw new OperationError(`${written} is not empty: it contains an uncommitted migration.`, {
    hint: "Commit it (`migrate commit`) or empty the file.",
    exitCode: exitCode.notAllowed,
  });
}

/** Returns true if a text holds no statement. */
export function isBlank(sql: string): boolean {
  return statementSpans(sql).length === 0;
}

/**
 * Writes committed files, read-only as graphile-migrate leaves them. If one cannot be written, it deletes those that it
 * wrote before.
 */
export async function writeCommitted(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const written: string[] = [];
  try {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(folder, "committed", name);
      writeFileAtomically(file, text, { mode: 0o440, exclusive: true });
      written.push(file);
    }
  } catch (error) {
    for (const file of written) await rm(file, { force: true });
    throw error;
  }
}

/** Deletes files from `committed/`. A file that does not exist is ignored. */
export async function removeCommitted(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(path.join(folder, "committed", name), { force: true });
}
