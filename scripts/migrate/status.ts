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
  /** SHA-256 of the file when it ran, in hex. */
  sha256: string;
  /** SHA-256 of the last edit that was accepted because of `AllowInvalidHash`; null if there is none. */
  acceptedSha256: string | null;
  startedAt: Date;
  /** null if it was started outside a transaction and its end is not known. */
  finishedAt: Date | null;
  durationMs: number | null;
  appliedBy: string;
}

/** A migration that is recorded as applied. */
export interface AppliedMigration {
  filename: string;
  message: string | undefined;
  hash: string;
  appliedAt: Date;
  /** Undefined if graphile-migrate's own CLI applied it. */
  durationMs: number | undefined;
  appliedBy: string | undefined;
  /** Set if the file was edited after it was applied, and accepts that with `AllowInvalidHash`. `up` records it. */
  acceptedEdit?: "recorded" | "not recorded";
}

/** A committed migration that is not applied yet. */
export interface PendingMigration {
  filename: string;
  message: string | undefined;
  /** True if an earlier run outside a transaction, also of other content, was started and its end is not known. */
  interrupted: boolean;
}

/**
 * Kinds of mismatch between the committed files and the database.
 * - edited: an applied file differs from what ran.
 * - missing: an applied file does not exist.
 * - reordered: an applied file has another number.
 * - renamed: an applied file has the same number and content, but another name.
 * - inserted: a file that is not applied comes before an applied one.
 * - invalid-hash: a pending file's hash does not match its body, or it has `AllowInvalidHash` although the hash
 * matches.
 * - half-reverted: an applied file's down migration, outside a transaction, was started and its end is not known.
 * - unfinished: a file was started outside a transaction, its end is not known, and the file does not exist.
 * - broken-chain: a file's `Previous` is not the hash of the file before it.
 * - unusable: a pending file contains what cannot run as it was meant; `detail` says what.
 */
export type ProblemKind =
  | "edited"
  | "missing"
  | "reordered"
  | "renamed"
  | "inserted"
  | "invalid-hash"
  | "half-reverted"
  | "unfinished"
  | "broken-chain"
  | "unusable";

/** A mismatch between a committed file and the database. */
export interface MigrationProblem {
  kind: ProblemKind;
  filename: string;
  /** Value from the database or from the previous file; null if there is none. */
  expected: string | null;
  /** Value from the file; null if there is none. */
  found: string | null;
  /** For `unusable`: message with file, line, caret and what to do. */
  detail?: string;
}

/** The migrations of a database, compared with the committed files. */
export interface MigrationStatus {
  applied: AppliedMigration[];
  pending: PendingMigration[];
  problems: MigrationProblem[];
}

/** Compares the committed files, in order, with what the database recorded. */
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
      ...(problem === undefined && acceptedEdit(file, entry)),
    });
  }

  const tracks = new Set(rows.map(({ hash }) => hash));
  const open = ledger.filter((entry) => isOpen(entry) && !tracks.has(entry.hash));
  const pending: PendingMigration[] = [];
  for (const file of files.filter((each) => !rowOf.has(each.trackingName))) {
    if (last !== undefined && compareTrackingNames(file.trackingName, last) < 0) {
      problems.push({ kind: "inserted", filename: file.filename, expected: null, found: file.hash });
      continue;
    }
    const invalid = hashProblem(file);
    if (invalid !== undefined) problems.push(invalid);
    const interrupted = open.some(({ hash, filename }) => hash === file.hash || filename === file.filename);
    pending.push({ filename: file.filename, message: file.message, interrupted });
  }
  const names = new Set(files.map(({ filename }) => filename));
  for (const { filename, hash } of open.filter((entry) => !filesByHash.has(entry.hash) && !names.has(entry.filename)))
    problems.push({ kind: "unfinished", filename, expected: hash, found: null });
  problems.push(...chainProblems(files, new Set(problems.map((problem) => problem.filename)), faulty));
  return { applied, pending, problems };
}

/** Returns true for a run outside a transaction that was started and whose end is not known. */
function isOpen({ direction, finishedAt }: LedgerEntry): boolean {
  return direction === "up" && finishedAt === null;
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
    return { kind: "half-reverted", filename: file.filename, expected: row.hash, found: null };
  // graphile-migrate's hash does not cover headers. The ledger's does.
  if (entry !== undefined && entry.sha256 !== file.sha256 && !isAcceptedEdit(file, entry)) {
    // The header was added, and there is nothing to accept. A new database would refuse this file.
    if (file.allowInvalidHash) return hashProblem(file);
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

/**
 * Returns true for an applied file that was edited and has `AllowInvalidHash`. graphile-migrate does not compare
 * applied files, and this header is how it lets an edited one run elsewhere.
 */
function isAcceptedEdit(file: CommittedMigration, entry: LedgerEntry | undefined): boolean {
  if (entry === undefined) return false;
  return file.allowInvalidHash && file.computedHash !== file.hash && entry.sha256 !== file.sha256;
}

function acceptedEdit(
  file: CommittedMigration | undefined,
  entry: LedgerEntry | undefined,
): Pick<AppliedMigration, "acceptedEdit"> {
  if (file === undefined || !isAcceptedEdit(file, entry)) return {};
  return { acceptedEdit: entry?.acceptedSha256 === file.sha256 ? "recorded" : "not recorded" };
}

/** Reports what graphile-migrate refuses: a hash that does not match, and AllowInvalidHash with a hash that does. */
function hashProblem(file: CommittedMigration): MigrationProblem | undefined {
  if ((file.computedHash === file.hash) !== file.allowInvalidHash) return undefined;
  return { kind: "invalid-hash", filename: file.filename, expected: file.hash, found: file.computedHash };
}

/**
 * Finds breaks in the chain of hashes. A file is skipped if it or its neighbour already is a problem: the report would
 * only repeat that.
 *
 * @param known names of files that are a problem
 * @param faulty hashes of applied files that are a problem; their files can have another number or be missing
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
