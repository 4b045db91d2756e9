import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { exitCode, OperationError } from "../../errors/operation-error.ts";
import { unlessAbsent } from "../../files/absent.ts";
import { statementSpans } from "../../sql/statements.ts";
import { type CurrentMigration, readCurrent, writeCurrent } from "../graphile-migrate-authoring.ts";

/** The way back of the migration that is being written, beside `current.sql`. */
export const draftDownName = "current.down.sql";
const blankBody = "-- Enter migration here\n";
const blankDown = "-- Enter the way back here, or as the first line: --! Irreversible: why there is none\n";

/** What is being written: the migration and its way back. */
export interface Draft {
  current: CurrentMigration;
  /** undefined: no such file, or nothing but comments in it. */
  down: string | undefined;
}

/** Reads what is being written in a database's folder. */
export async function readDraft(folder: string): Promise<Draft> {
  const current = await readCurrent(folder);
  const down = (await unlessAbsent(readFile(path.join(folder, draftDownName), "utf8"))) ?? "";
  return { current, down: isBlank(down) && !/^--! Irreversible/.test(down) ? undefined : down };
}

/** Writes a migration that is to be gone on with, and its way back. */
export async function writeDraft(
  folder: string,
  headers: Readonly<Record<string, string | null>>,
  body = blankBody,
  down = blankDown,
): Promise<void> {
  await writeCurrent(folder, headers, body);
  await writeFile(path.join(folder, draftDownName), down);
}

/** Empties it: what was written is committed. */
export async function clearDraft(folder: string): Promise<void> {
  await writeCurrent(folder, {}, blankBody);
  await rm(path.join(folder, draftDownName), { force: true });
}

/** @throws OperationError (not allowed) where something is being written that would be lost. */
export function requireBlank({ current, down }: Draft): void {
  const written = !isBlank(current.body) ? current.path : down === undefined ? undefined : draftDownName;
  if (written === undefined) return;
  throw new OperationError(`${written} is not blank: a migration is being written there.`, {
    remedy: "Commit it (`migrate commit`), or empty it.",
    exitCode: exitCode.notAllowed,
  });
}

/** Whether a text holds no statement. */
export function isBlank(sql: string): boolean {
  return statementSpans(sql).length === 0;
}

/** Writes committed files, read-only as graphile-migrate leaves them, and takes them away again where one cannot be. */
export async function writeCommitted(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const written: string[] = [];
  try {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(folder, "committed", name);
      await writeFile(file, text, { flag: "wx" });
      written.push(file);
      await chmod(file, 0o440);
    }
  } catch (error) {
    for (const file of written) await rm(file, { force: true });
    throw error;
  }
}

export async function removeCommitted(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(path.join(folder, "committed", name), { force: true });
}
