import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { unlessAbsent } from "../../core/absent.ts";
import { OperationError } from "../../core/operation-error.ts";
import { statementSpans } from "../../sql/statements.ts";
import { type CommittedMigration, readCommitted } from "../committed.ts";
import { bodyHash, trackingName } from "../graphile-migrate.ts";
import { readCurrent } from "../graphile-migrate-authoring.ts";
import { runsOutsideTransaction } from "../marks.ts";
import { draftSource, isBlank } from "./draft.ts";
import { hasIncludes } from "./includes.ts";

/** The uncommitted migration of a folder. It is never applied. */
export interface DraftFile {
  /** `current.sql`, or `current` for a folder. */
  filename: string;
  /** The draft as the next migration, under its own file name; null if it cannot be read. */
  migration: CommittedMigration | null;
  /** Reason why it cannot be read as a migration; null if it can. */
  unreadable: string | null;
}

/** Summary of a draft, for commands that list migrations. */
export interface DraftSummary {
  filename: string;
  message: string | null;
  /** null if the draft cannot be read. */
  statements: number | null;
  unreadable: string | null;
}

/** Reads the draft of a folder. Returns undefined if it contains no statement. */
export async function readDraftFile(folder: string): Promise<DraftFile | undefined> {
  if (await isObviouslyBlank(folder)) return undefined;
  const last = (await readCommitted(folder)).at(-1);
  try {
    const current = await readCurrent(folder);
    const { path, text, headers, body } = current;
    if (isBlank(body)) return undefined;
    const previousHash = last?.hash ?? null;
    const hash = bodyHash(body, previousHash);
    const number = last === undefined ? 1 : Number.parseInt(last.filename, 10) + 1;
    const migration = {
      filename: basename(path),
      trackingName: trackingName(String(number).padStart(6, "0")),
      message: headers.Message ?? undefined,
      hash,
      previousHash,
      computedHash: hash,
      allowInvalidHash: false,
      sha256: "",
      text,
      encodingFault: undefined,
      bodyStart: draftSource(current).start,
      transactional: !runsOutsideTransaction(body),
    };
    return { filename: migration.filename, migration, unreadable: null };
  } catch (error) {
    // An error in the draft must not hide the state of the committed files.
    if (!(error instanceof OperationError)) throw error;
    return { filename: "current.sql", migration: null, unreadable: error.message };
  }
}

/** Returns true for a blank `current.sql`, without graphile-migrate, which takes long to load. */
async function isObviouslyBlank(folder: string): Promise<boolean> {
  if ((await unlessAbsent(stat(join(folder, "current")))) !== undefined) return false;
  const file = join(folder, "current.sql");
  // To read a FIFO would wait for its writer. readCurrent refuses it.
  if ((await unlessAbsent(stat(file)))?.isFile() === false) return false;
  const text = (await unlessAbsent(readFile(file, "utf8"))) ?? "";
  return isBlank(text) && !hasIncludes(text);
}

/** Summarizes the draft of a folder. Returns null if it contains no statement. */
export async function readDraftSummary(folder: string): Promise<DraftSummary | null> {
  const draft = await readDraftFile(folder);
  if (draft === undefined) return null;
  const { filename, migration, unreadable } = draft;
  return {
    filename,
    message: migration?.message ?? null,
    statements: migration === null ? null : statementSpans(migration.text.slice(migration.bodyStart)).length,
    unreadable,
  };
}

/** Describes a draft in one line: `current.sql is a draft (2 statements): add a note`. */
export function describeDraft({ filename, message, statements, unreadable }: DraftSummary): string {
  if (statements === null) return `${filename} cannot be read as a draft: ${unreadable}`;
  const count = `${statements} ${statements === 1 ? "statement" : "statements"}`;
  return `${filename} is a draft (${count}, never applied)${message === null ? "" : `: ${message}`}`;
}
