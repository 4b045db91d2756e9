/*
 * The map of an import: which collection of the source becomes which table. It is a plain value, so that the same map
 * can be TypeScript or JSON, and so that the database can record exactly what was imported how.
 */

/** Describes how a value of the source becomes a value of the target. */
export type Transform =
  /** A time: text in a known spelling, or a number. */
  | {
      kind: "timestamp";
      /** Unit of numbers. Default: the one in which the number lies between 1980 and 2100. */
      unit?: "seconds" | "milliseconds" | "microseconds" | undefined;
      /** Time zone of texts without an offset, as an IANA name. Default: UTC. */
      zone?: string | undefined;
      /** Order of dates such as 02/01/2024. */
      order?: "dmy" | "mdy" | undefined;
    }
  /** The values that mean true and false. Any other value is rejected. */
  | { kind: "boolean"; true: Scalar[]; false: Scalar[] }
  /** A number times a power of ten: `-2` turns cents into units. */
  | { kind: "scaled"; digits: number }
  /** Each value of the source, as text, and the value that it becomes. Any other value is rejected. */
  | { kind: "values"; values: Record<string, Scalar> }
  /** Text that contains JSON. */
  | { kind: "json" }
  /**
   * Values of several kinds, as JSON that keeps them apart: 4, 4.0 and "4". Blobs and infinite reals are written as
   * MongoDB Extended JSON: `{"$binary": …}`, `{"$numberDouble": "Infinity"}`.
   */
  | { kind: "mixed" }
  /** Text that contains a list: JSON, or parts between separators. */
  | { kind: "list"; separator?: string | undefined }
  /** Text that is changed as named. Numbers and booleans become text. */
  | {
      kind: "text";
      trim?: boolean | undefined;
      case?: "lower" | "upper" | undefined;
      emptyIsNull?: boolean | undefined;
    };

/** A constant of a map. */
export type Scalar = string | number | boolean | null;

/** The source of one column: the name of a field, or a description. */
export type ColumnMap =
  | string
  | {
      /**
       * Column of the source, or a path in a document: `address.city`. In an entry with `each`, the path begins at the
       * element; `$parent.` begins one level further out, `$index` is the element's position from 1, `$value` the
       * element itself, `$name` its name if it is a member of an object. For a document, `$position` is its position in
       * the collection from 1, and `$file` the name of its file.
       */
      from?: string | undefined;
      /** Constant for every row. */
      value?: Scalar | undefined;
      /**
       * Makes a UUID from the value, always the same one. The name separates keys of different kinds: `users`. A value
       * that is a UUID stays as it is.
       */
      key?: string | undefined;
      as?: Transform | undefined;
      /** Constant for rows whose value is null or absent; a list for an array. */
      whenNull?: Scalar | Scalar[] | undefined;
      /**
       * The target's triggers or defaults compute the column. The import does not write it, and compares the result
       * with the source.
       */
      computed?: boolean | undefined;
      /** Reason why the column is not compared after the import, for example a trigger that stamps it. */
      notCompared?: string | undefined;
    };

/** One table of the target, and the rows of the source that it gets. */
export interface TableMap {
  /** Table of the target: `users` or `sales.order`. */
  to: string;
  /** Collection of the source: a table, or a file without its ending. */
  from: string;
  /** SELECT on a SQLite source whose rows are used instead of the table's. */
  query?: string | undefined;
  /**
   * Path of an array in each row, or of an object whose members are rows. Each element becomes a row. `orders[].lines`
   * takes the elements of arrays within arrays.
   */
  each?: string | undefined;
  /** Columns of the target, and where their values come from. */
  columns: Record<string, ColumnMap>;
  /**
   * Columns of the target that determine the order in which rows are inserted. Default: the source's order. If neither
   * a trigger nor a number that the target gives can show the order, rows are inserted in the order that is fastest.
   */
  orderBy?: string[] | undefined;
}

/** Describes how a source becomes the tables of one database. */
export interface ImportMap {
  /** Namespace of the UUIDs that `key` makes. Default: derived from the database's name. */
  namespace?: string | undefined;
  /** Settings of the transactions that load, such as `app.maintenance`. */
  session?: Record<string, string> | undefined;
  /**
   * Loads everything in one transaction, each table with one statement. For targets whose deferred triggers compare
   * several tables. Default: false, batches.
   */
  atomic?: boolean | undefined;
  /**
   * Policy for rows that cannot be imported. `stop` loads nothing, `skip` leaves them out, `quarantine` also keeps
   * their values in the database. Default: stop.
   */
  rejects?: "stop" | "skip" | "quarantine" | undefined;
  /**
   * Policy for rows whose key exists in the target with other values. `fail` rejects them, `keep` leaves the
   * target's row, `update` changes it. `merge` updates rows that only the source changed since the last import, keeps
   * those that only the target changed, and rejects those that both changed. Rows that are equal are never touched.
   * Default: fail.
   */
  existing?: "fail" | "keep" | "update" | "merge" | undefined;
  /**
   * Policy for rows that earlier imports inserted and the source no longer has; needs `existing: "merge"`. `report`
   * counts and lists them. `delete` also deletes those that were not changed and are not referenced since. Default:
   * report.
   */
  missing?: "report" | "delete" | undefined;
  /**
   * Name of the source, if each export has another path: `crm-2026-11-30.db`. Imports with the same name read the same
   * source, at different times, which decides about missing rows. Default: its path.
   */
  source?: string | undefined;
  /** Fields of the source whose values are not written to files and records of rejected rows. */
  mask?: string[] | undefined;
  /** Row that records the run. `$run` and `$summary` in its values are replaced. */
  audit?: { table: string; values: Record<string, Scalar> } | undefined;
  tables: TableMap[];
}

/** Helps an editor to complete a map: `export default importMap({ tables: [...] })`. */
export function importMap(value: ImportMap): ImportMap {
  return value;
}
