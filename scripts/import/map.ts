import { z } from "zod";
import { exitCode, OperationError } from "../core/operation-error.ts";

/*
 * The map of an import: which collection of the source becomes which table. It is a plain value, so that the same map
 * can be TypeScript or JSON, and so that the database can record exactly what was imported how.
 */

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const transform = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("timestamp"),
    unit: z.enum(["seconds", "milliseconds", "microseconds"]).optional(),
    zone: z.string().optional(),
    order: z.enum(["dmy", "mdy"]).optional(),
  }),
  z.strictObject({ kind: z.literal("boolean"), true: z.array(scalar), false: z.array(scalar) }),
  z.strictObject({ kind: z.literal("scaled"), digits: z.int().min(-18).max(18) }),
  z.strictObject({ kind: z.literal("values"), values: z.record(z.string(), scalar) }),
  z.strictObject({ kind: z.literal("json") }),
  z.strictObject({ kind: z.literal("list"), separator: z.string().min(1).optional() }),
  z.strictObject({
    kind: z.literal("text"),
    trim: z.boolean().optional(),
    case: z.enum(["lower", "upper"]).optional(),
    emptyIsNull: z.boolean().optional(),
  }),
]);

const column = z.union([
  z.string(),
  z.strictObject({
    from: z.string().optional(),
    value: scalar.optional(),
    key: z.string().optional(),
    as: transform.optional(),
    whenNull: scalar.optional(),
    computed: z.boolean().optional(),
    notCompared: z.string().min(1).optional(),
  }),
]);

const table = z.strictObject({
  to: z.string().min(1),
  from: z.string().min(1),
  query: z.string().min(1).optional(),
  each: z.string().min(1).optional(),
  columns: z.record(z.string(), column),
  orderBy: z.array(z.string()).optional(),
});

const map = z.strictObject({
  namespace: z.uuid().optional(),
  session: z.record(z.string(), z.string()).optional(),
  atomic: z.boolean().optional(),
  rejects: z.enum(["stop", "skip", "quarantine"]).optional(),
  existing: z.enum(["fail", "keep", "update"]).optional(),
  mask: z.array(z.string()).optional(),
  audit: z.strictObject({ table: z.string(), values: z.record(z.string(), scalar) }).optional(),
  tables: z.array(table).min(1),
});

/** How a value of the source becomes a value of the target. */
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
  /** Text that contains a list: JSON, or parts between separators. */
  | { kind: "list"; separator?: string | undefined }
  /** Text that is changed as named. */
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
       * element; `$parent.` begins at the row, `$index` is the element's position from 1, `$value` the element.
       */
      from?: string | undefined;
      /** Constant for every row. */
      value?: Scalar | undefined;
      /** Makes a UUID from the value, always the same one. The name separates keys of different kinds: `users`. */
      key?: string | undefined;
      as?: Transform | undefined;
      /** Constant for rows whose value is null or absent. */
      whenNull?: Scalar | undefined;
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
  /** Path of an array in each row. Each of its elements becomes a row. */
  each?: string | undefined;
  /** Columns of the target, and where their values come from. */
  columns: Record<string, ColumnMap>;
  /** Columns of the target that determine the order in which rows are inserted. Default: the source's order. */
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
   * What happens to rows that cannot be imported. `stop` loads nothing, `skip` leaves them out, `quarantine` also keeps
   * their values in the database. Default: stop.
   */
  rejects?: "stop" | "skip" | "quarantine" | undefined;
  /**
   * What happens to rows whose key exists in the target with other values. `fail` rejects them, `keep` leaves the
   * target's row, `update` changes it. Rows that are equal are never touched. Default: fail.
   */
  existing?: "fail" | "keep" | "update" | undefined;
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

/**
 * Checks that a value has the shape of a map.
 *
 * @throws OperationError (wrong usage) that lists all faults
 */
export function parseMap(value: unknown, name: string): ImportMap {
  const parsed = map.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `- ${path.join(".") || "the map"}: ${message}`);
  throw new OperationError([`${name} is not a map of an import:`, ...faults].join("\n"), {
    hint: "Correct it. Nothing was read or changed.",
    exitCode: exitCode.usage,
  });
}
