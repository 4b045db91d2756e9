import { exitCode, OperationError } from "../core/operation-error.ts";
import type { CommittedMigration } from "./committed.ts";
import type { MigrationProblem, MigrationStatus } from "./status.ts";

/**
 * Removes the problems of files that are accepted by name. An accepted file that was inserted before applied ones
 * becomes pending.
 *
 * @throws OperationError (exit code usage) for a name that has no problem: an exception without effect is a mistake
 */
export function withoutAllowed(
  { pending, problems }: MigrationStatus,
  allow: readonly string[],
  files: readonly CommittedMigration[],
): { pending: string[]; problems: MigrationProblem[] } {
  const named = new Set(problems.map(({ filename }) => filename));
  const idle = allow.filter((name) => !named.has(name));
  if (idle.length > 0) {
    throw new OperationError(`--allow ${idle.join(", ")}: this file has no problem.`, {
      hint: "Use --allow only with the exact name of a file that `migrate verify` lists.",
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
 * Finds a committed file by its name or number (`000012-x.sql`, `000012`, `12`).
 *
 * @throws OperationError (exit code usage) that names the first and last existing file
 */
export function findMigration(files: readonly CommittedMigration[], text: string): CommittedMigration {
  const number = /^\d+$/.test(text) ? Number(text) : undefined;
  const found = files.find(({ filename }) => filename === text || Number.parseInt(filename, 10) === number);
  if (found !== undefined) return found;
  const there = files.length === 0 ? "there is none" : `there are ${files[0]?.filename} to ${files.at(-1)?.filename}`;
  throw new OperationError(`The migration "${text}" does not exist (${there}).`, { exitCode: exitCode.usage });
}

/** Returns the pending files up to and including the file `to`; all of them if it is omitted. */
export function upTo(
  pending: readonly CommittedMigration[],
  files: readonly CommittedMigration[],
  to: string | undefined,
): CommittedMigration[] {
  if (to === undefined) return [...pending];
  const last = files.indexOf(findMigration(files, to));
  return pending.filter((file) => files.indexOf(file) <= last);
}
