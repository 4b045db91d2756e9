/** A reason why a row was rejected, and the fields that it concerns. */
export interface FieldProblem {
  fields: string[];
  reason: string;
  value?: unknown;
}

/** A difference between source and target. */
export interface Difference {
  table: string;
  key: string;
  /** Undefined if the whole row is missing on one side. */
  column?: string;
  source: string | null;
  target: string | null;
  kind: "missing in the target" | "not in the source" | "different";
}

/**
 * Fate of a row that earlier imports recorded and the source no longer has. `missing`: it stays, because nothing is
 * deleted. `conflict`: the target changed it. `not inserted`: it was in the table before. `unknown`: could not tell if
 * the source had it.
 */
export type MissingKind = "missing" | "deleted" | "conflict" | "referenced" | "not inserted" | "unknown";

/** A row that earlier imports recorded and the source no longer has. */
export interface MissingRow {
  table: string;
  key: string;
  kind: MissingKind;
  /** Reason why it stays, or cannot be told. Null for rows that are deleted, or could be. */
  reason: string | null;
}

/** Result of one table. `sourceRows` is the sum of the other counts. */
export interface TableReport {
  source: string;
  target: string;
  sourceRows: number;
  inserted: number;
  updated: number;
  unchanged: number;
  /** Rows whose target row was kept as it was. */
  kept: number;
  rejected: number;
  /**
   * Rows of `unchanged` that were not compared again: both sides have the hashes that the last verified run recorded.
   * Undefined if there are none. Checksums and sums are those of the other rows.
   */
  leftOut?: number;
  /** Reason why a merge could leave out no row, so that it read and compared all of them. */
  allRead?: string;
  /** Rows that the source no longer has, by what becomes of them. Only a merge finds them. */
  missing?: Partial<Record<MissingKind, number>>;
  /** Checksums of source and target by column, and if they are equal. Undefined before they were compared. */
  columns?: { name: string; source: string; target: string; equal: boolean }[];
  /** Sums of numeric columns. */
  sums?: { name: string; source: string; target: string; equal: boolean }[];
  triggers: string[];
  generated: string[];
  rowSecurity: boolean;
}

/** Result of the comparison of source and target. */
export interface VerifyResult {
  verified: boolean;
  /** Sentences about what does not agree. */
  failures: string[];
  /** Rows that differ, up to a limit. */
  differences: Difference[];
  notCompared: { table: string; column: string; reason: string }[];
}

/** A rejected row in a report. */
export interface RejectedRow {
  source: string;
  target: string;
  ordinal: number;
  place: string | null;
  key: string | null;
  problems: FieldProblem[];
}

/** A run that was interrupted, and that a later run of the same source has replaced. */
export interface ReplacedImport {
  run: string;
  /** Rows that it had written. They stay until the run is rolled back. */
  loadedRows: number;
}

/** Report of a run: what it did, and what was compared. */
export interface ImportReport {
  run: string;
  database: string;
  /** `kept`: folder with a compressed copy of the source; null if none was kept. */
  source: { kind: string; path: string; sha256: string; bytes: number; kept: string | null };
  startedAt: string;
  finishedAt: string;
  outcome: "verified" | "not verified" | "stopped" | "dry run";
  tables: TableReport[];
  verify?: VerifyResult;
  /** The first rejected rows. */
  rejects: RejectedRow[];
  /** The first rows that the source no longer has. Undefined if the run was no merge. */
  missing?: MissingRow[];
  /** Interrupted runs of the same source whose staged rows this run removed. Undefined if there were none. */
  replaced?: ReplacedImport[];
  /** Values whose form changed, with counts. */
  notes: string[];
  /** Objects of the source that are not imported. */
  notImported: string[];
  /** Collections of the source that no entry reads, with their rows, and columns of the others. */
  unread: string[];
  phases: { name: string; ms: number }[];
}
