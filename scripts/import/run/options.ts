import type { Connection } from "../../connection/connection.ts";
import type { LockHolder } from "../../ledger/deployment-lock.ts";
import type { ImportMap } from "../map.ts";
import type { Source } from "../source/source.ts";
import type { ImportReport } from "./result.ts";

/** Phases that a run reports, in this order. */
export type PhaseName = "read" | "validate" | "load" | "record" | "verify";

/** An event that {@link runImport} reports. */
export type ImportEvent =
  | { kind: "waiting"; holder: LockHolder }
  | { kind: "resumed"; run: string; phase: string }
  /** The staged rows of an interrupted run of the same source were removed. Rows that it had loaded stay. */
  | { kind: "replaced"; run: string; loadedRows: number }
  | { kind: "phase"; name: PhaseName }
  /** Rows of a table that the phase has done so far. `of` is undefined if the total is not known. */
  | { kind: "progress"; name: PhaseName; table: string; rows: number; of: number | undefined };

/** Options of {@link runImport}. */
export interface RunImportOptions {
  connection: Connection;
  /** Name of the database's folder: the keys that the map makes depend on it. */
  database: string;
  source: Source;
  map: ImportMap;
  /** Ends after the validation, and leaves nothing in the database. */
  dryRun?: boolean;
  /** Largest number of rejected rows, or share of all rows in percent (`5%`), with which the run loads the others. */
  maxRejects?: number | `${number}%` | undefined;
  /**
   * With `missing: "delete"`: largest number of a table's rows, or share in percent (`5%`), that the source may lack.
   * If it lacks more, the run imports nothing. Default: 50%.
   */
  maxDelete?: number | `${number}%` | undefined;
  /** Folder in which the run writes its report and rejected rows, in a folder of its own. */
  reportFolder?: string | undefined;
  /** Folder in which a compressed copy of the source is kept, in a folder of the run. Default: none is kept. */
  keepSource?: string | undefined;
  /** Rows of one transaction. Default: 50,000. */
  batchRows?: number;
  /** With `merge`: reads, validates and compares rows, too, that are the same as at the last import. */
  readAll?: boolean;
  onEvent?: (event: ImportEvent) => void;
  /** Called after each transaction that loaded rows, with its number from 1. */
  afterBatch?: ((batch: number) => Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
  runId?: string | undefined;
}

/** Result of {@link runImport}. */
export interface ImportResult {
  report: ImportReport;
  /** Folder with `report.json`, `report.html`, `rejects.jsonl` and, after a merge, `missing.jsonl`. */
  folder: string | undefined;
}
