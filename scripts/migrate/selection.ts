import { exitCode, OperationError } from "../errors/operation-error.ts";
import type { CommittedMigration } from "./committed.ts";
import type { MigrationProblem, MigrationStatus } from "./status.ts";

/**
 * Takes out the problems of files that are accepted by name. A file that was inserted before applied ones, and is accepted, is pending.
 *
 * @throws OperationError (wrong usage) for a name that no problem has: an exception that accepts nothing is a mistake
 */
export function withoutAllowed(
  { pending, problems }: MigrationStatus,
  allow: readonly string[],
  files: readonly CommittedMigration[],
): { pending: string[]; problems: MigrationProblem[] } {
  const named = new Set(problems.map(({ filename }) => filename));
  const idle = allow.filter((name) => !named.has(name));
  if (idle.length > 0) {
    throw new OperationError(`Nothing is wrong with ${idle.join(", ")}, and it was to be allowed.`, {
      remedy: "Give --allow the exact name of a file that `migrate verify` lists, and of no other.",
      exitCode: exitCode.usage,
    });
  }
  const accepted = new Set(allow);
  const inserted = problems.filter(({ kind, filename }) => kind === "inserted" && accepted.has(filename));
  const wanted = new Set([...pending, ...inserted].map(({ filename }) => filename));
  return {
    pending: files.map(({ filename }) => filename).filter((filename) => wanted.has(filename)),
    problems: problems.filter(({ filename }) => !accepted.has(filename)),
  };
}

/**
 * A committed file by its name or number (`000012-x.sql`, `000012`, `12`).
 *
 * @throws OperationError (wrong usage) naming the first and last file that there are
 */
export function findMigration(files: readonly CommittedMigration[], text: string): CommittedMigration {
  const number = /^\d+$/.test(text) ? Number(text) : undefined;
  const found = files.find(({ filename }) => filename === text || Number.parseInt(filename, 10) === number);
  if (found !== undefined) return found;
  const there = files.length === 0 ? "there is none" : `there are ${files[0]?.filename} to ${files.at(-1)?.filename}`;
  throw new OperationError(`There is no migration "${text}" (${there}).`, { exitCode: exitCode.usage });
}

/** The pending files up to one of the folder's, that one included; all of them where none is named. */
export function upTo(
  pending: readonly CommittedMigration[],
  files: readonly CommittedMigration[],
  to: string | undefined,
): CommittedMigration[] {
  if (to === undefined) return [...pending];
  const last = files.indexOf(findMigration(files, to));
  return pending.filter((file) => files.indexOf(file) <= last);
}
