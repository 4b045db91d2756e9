import { z } from "zod";
import { exitCode, OperationError } from "../core/operation-error.ts";
import type { ImportMap } from "./map.ts";

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
  z.strictObject({ kind: z.literal("mixed") }),
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
    whenNull: z.union([scalar, z.array(scalar)]).optional(),
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
  existing: z.enum(["fail", "keep", "update", "merge"]).optional(),
  missing: z.enum(["report", "delete"]).optional(),
  source: z.string().min(1).optional(),
  mask: z.array(z.string()).optional(),
  audit: z.strictObject({ table: z.string(), values: z.record(z.string(), scalar) }).optional(),
  tables: z.array(table).min(1),
});

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
