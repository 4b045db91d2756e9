import { z } from "zod";

/**
 * Effect of a changed setting at the next `up`, besides the regular work of `up`. Each effect is tested with a real
 * stack.
 *
 * - `none`: nothing on the server
 * - `reload`: the server reads its settings again; sessions stay
 * - `restart`: the server is stopped and started; sessions end, data stays
 * - `restart (docker)`: the same for a server in a container, and `none` for another one
 */
export type Effect =
  | "none"
  | "reload"
  | "restart"
  | "restart (docker)"
  | "reload or restart"
  | "new passwords"
  | "databases created"
  | "seeds applied"
  | "refused until the data is moved";

/** Documentation of one setting. */
export interface SettingText {
  /** Accepted values, as a completion of "expected …". */
  type: string;
  /** Value if nothing is set. */
  default: string;
  effect: Effect;
  /** Purpose and unit of the setting. */
  description: string;
}

/**
 * Attaches the documentation to a setting's schema. Call it last in a chain: every further zod method returns a schema
 * without it.
 */
export function documented<Schema extends z.ZodType>(schema: Schema, text: SettingText): Schema {
  return schema.meta({ ...text });
}

/** @throws Error if the schema has no documentation: every setting needs it */
export function textOf(schema: z.ZodType): SettingText {
  const meta = schema.meta();
  if (meta === undefined) throw new Error("A setting's schema has no text.");
  return meta as unknown as SettingText;
}

/**
 * Parses a whole number. Pulumi passes every value as text: scalars as they are written, objects and lists as JSON.
 * Text that does not parse as the expected type is passed on unchanged, so that the fault shows the original text.
 */
export function integer(min: number, max: number) {
  return z.preprocess(
    (raw) => (typeof raw === "string" && /^-?\d+(\.\d+)?$/.test(raw) ? Number(raw) : raw),
    z.int().min(min).max(max),
  );
}

/** Parses true or false. */
export function flag() {
  return z.preprocess((raw) => (raw === "true" ? true : raw === "false" ? false : raw), z.boolean());
}

/** Parses JSON text for a schema. Text that is not JSON is passed on unchanged. */
export function fromJson<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((raw) => {
    if (typeof raw !== "string") return raw;
    try {
      return JSON.parse(raw) as unknown;
    } catch {
      return raw;
    }
  }, schema);
}

/** Parses a list without repeated items. */
export function list(item: z.ZodType<string>) {
  return fromJson(
    z.array(item).superRefine((items, context) => {
      for (const repeated of new Set(items.filter((entry, index) => items.indexOf(entry) !== index))) {
        context.addIssue({ code: "custom", message: `'${repeated}' is listed more than once` });
      }
    }),
  );
}
