import type { CommittedMigration } from "./committed.ts";
import { compareTrackingNames } from "./graphile-migrate.ts";

/** A row of graphile-migrate's tracking table. */
export interface TrackedRow {
  hash: string;
  previousHash: string | null;
  /** `000012.sql` */
  trackingName: string;
  date: Date;
}

/** The last entry of the kit's ledger for one hash. */
export interface LedgerEntry {
  filename: string;
  direction: "up" | "down";
  hash: string;
  /** Hex, of the file when it ran. */
  sha256: string;
  startedAt: Date;
  /** null: begun outside a transaction, end unknown. */
  finishedAt: Date | null;
  durationMs: number | null;
  appliedBy: string;
}

export interface AppliedMigration {
  filename: string;
  message: string | undefined;
  hash: string;
  appliedAt: Date;
  /** Undefined for what graphile-migrate's own CLI applied. */
  durationMs: number | undefined;
  appliedBy: string | undefined;
}

export interface PendingMigration {
  filename: string;
  message: string | undefined;
  /** An earlier run outside a transaction was begun and its end is not known. */
  interrupted: boolean;
}

/**
 * - edited: an applied file is not what ran.
 * - missing: an applied file is not there.
 * - reordered: an applied file stands under another number.
 * - renamed: an applied file has kept number and content, and has another name.
 * - inserted: a file that is not applied stands before an applied one.
 * - invalid-hash: a pending file's hash does not fit its body.
 * - half-undone: an applied file's way back, outside a transaction, was begun and its end is not known.
 * - broken-chain: a file's `Previous` is not the hash of the file before it.
 */
export type ProblemKind =
  | "edited"
  | "missing"
  | "reordered"
  | "renamed"
  | "inserted"
  | "invalid-hash"
  | "half-undone"
  | "broken-chain";

export interface MigrationProblem {
  kind: ProblemKind;
  filename: string;
  /** What the database or the file before says; null where there is nothing to expect. */
  expected: string | null;
  /** What the file says; null where there is no file. */
  found: string | null;
}

export interface MigrationStatus {
  applied: AppliedMigration[];
  pending: PendingMigration[];
  problems: MigrationProblem[];
}

/** Compares the committed files, in their order, with what the database recorded. */
export function compareMigrations(
  files: readonly CommittedMigration[],
  tracked: readonly TrackedRow[],
  ledger: readonly LedgerEntry[],
): MigrationStatus {
  const rows = [...tracked].sort((a, b) => compareTrackingNames(a.trackingName, b.trackingName));
  const rowOf = new Map(rows.map((row) => [row.trackingName, row]));
  const fileOf = new Map(files.map((file) => [file.trackingName, file]));
  const entryOf = new Map(ledger.map((entry) => [entry.hash, entry]));
  const filesByHash = new Map(files.map((file) => [file.hash, file]));
  const last = rows.at(-1)?.trackingName;

  const problems: MigrationProblem[] = [];
  const faulty = new Set<string>();
  const applied: AppliedMigration[] = [];
  for (const row of rows) {
    const file = fileOf.get(row.trackingName);
    const entry = entryOf.get(row.hash);
    const problem = appliedProblem(row, file, entry, filesByHash);
    if (problem !== undefined) {
      problems.push(problem);
      faulty.add(row.hash);
    }
    applied.push({
      filename: file?.filename ?? entry?.filename ?? row.trackingName,
      message: file?.message,
      hash: row.hash,
      appliedAt: row.date,
      durationMs: entry?.durationMs ?? undefined,
      appliedBy: entry?.appliedBy,
    });
  }

  const pending: PendingMigration[] = [];
  for (const file of files.filter((each) => !rowOf.has(each.trackingName))) {
    if (last !== undefined && compareTrackingNames(file.trackingName, last) < 0) {
      problems.push({ kind: "inserted", filename: file.filename, expected: null, found: file.hash });
      continue;
    }
    const invalid = hashProblem(file);
    if (invalid !== undefined) problems.push(invalid);
    const entry = entryOf.get(file.hash);
    const interrupted = entry?.direction === "up" && entry.finishedAt === null;
    pending.push({ filename: file.filename, message: file.message, interrupted });
  }
  problems.push(...chainProblems(files, new Set(problems.map((problem) => problem.filename)), faulty));
  return { applied, pending, problems };
}

function appliedProblem(
  row: TrackedRow,
  file: CommittedMigration | undefined,
  entry: LedgerEntry | undefined,
  filesByHash: ReadonlyMap<string, CommittedMigration>,
): MigrationProblem | undefined {
  if (file?.hash !== row.hash) {
    const elsewhere = filesByHash.get(row.hash);
    if (elsewhere !== undefined) {
      return {
        kind: "reordered",
        filename: elsewhere.filename,
        expected: row.trackingName,
        found: elsewhere.trackingName,
      };
    }
    if (file === undefined) {
      return { kind: "missing", filename: entry?.filename ?? row.trackingName, expected: row.hash, found: null };
    }
    return { kind: "edited", filename: file.filename, expected: row.hash, found: file.hash };
  }
  if (file.computedHash !== row.hash && !file.allowInvalidHash) {
    return { kind: "edited", filename: file.filename, expected: row.hash, found: file.computedHash };
  }
  if (entry?.direction === "down" && entry.finishedAt === null)
    return { kind: "half-undone", filename: file.filename, expected: row.hash, found: null };
  // Headers and files with AllowInvalidHash are outside graphile-migrate's hash, not outside ours.
  if (entry !== undefined && entry.sha256 !== file.sha256) {
    return {
      kind: "edited",
      filename: file.filename,
      expected: `sha256:${entry.sha256}`,
      found: `sha256:${file.sha256}`,
    };
  }
  if (entry !== undefined && entry.filename !== file.filename)
    return { kind: "renamed", filename: file.filename, expected: entry.filename, found: file.filename };
  return undefined;
}

/** graphile-migrate refuses both: a hash that does not fit, and the permission for it where it does fit. */
function hashProblem(file: CommittedMigration): MigrationProblem | undefined {
  if ((file.computedHash === file.hash) !== file.allowInvalidHash) return undefined;
  return { kind: "invalid-hash", filename: file.filename, expected: file.hash, found: file.computedHash };
}

/**
 * A file whose neighbour is a problem already would only say the same again.
 *
 * @param known names of files that are a problem
 * @param faulty hashes of applied files that are one, which may stand elsewhere or nowhere
 */
function chainProblems(
  files: readonly CommittedMigration[],
  known: ReadonlySet<string>,
  faulty: ReadonlySet<string>,
): MigrationProblem[] {
  return files.flatMap((file, index): MigrationProblem[] => {
    const before = files[index - 1];
    if (file.previousHash === (before?.hash ?? null)) return [];
    if (known.has(file.filename) || (before !== undefined && known.has(before.filename))) return [];
    if (file.previousHash !== null && faulty.has(file.previousHash)) return [];
    return [
      { kind: "broken-chain", filename: file.filename, expected: before?.hash ?? null, found: file.previousHash },
    ];
  });
}
