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

/** Report of a run: what it did, and what was compared. */
export interface ImportReport {
  run: string;
  database: string;
  source: { kind: string; path: string; sha256: string; bytes: number };
  startedAt: string;
  finishedAt: string;
  outcome: "verified" | "not verified" | "stopped" | "dry run";
  tables: TableReport[];
  verify?: VerifyResult;
  /** The first rejected rows. */
  rejects: RejectedRow[];
  /** Values whose form changed, with counts. */
  notes: string[];
  /** Objects of the source that are not imported. */
  notImported: string[];
  /** Collections of the source that no entry reads, with their rows, and columns of the others. */
  unread: string[];
  phases: { name: string; ms: number }[];
}
