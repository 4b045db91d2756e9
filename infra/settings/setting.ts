import { z } from "zod";

/**
 * What a change of a setting does at the next `up`, beside what `up` always looks after. Each is tried with a real stack.
 *
 * - `none`: nothing on the server
 * - `reload`: the server reads its settings again; sessions stay
 * - `restart`: the server is stopped and started; sessions end, data stays
 */
export type Effect =
  | "none"
  | "reload"
  | "restart"
  | "reload or restart"
  | "new passwords"
  | "databases made"
  | "seeds applied"
  | "refused until the data is moved";

/** What people read about one setting. */
export interface SettingText {
  /** What is accepted, as it completes "expected …". */
  type: string;
  /** What holds where nothing is set. */
  default: string;
  effect: Effect;
  /** What the setting is for, and its unit. */
  description: string;
}

/** Attaches what is said about a setting to its schema. Last in a chain: every further zod method makes a schema without it. */
export function documented<Schema extends z.ZodType>(schema: Schema, text: SettingText): Schema {
  return schema.meta({ ...text });
}

/** @throws Error when the schema has none: every setting says what it is for */
export function textOf(schema: z.ZodType): SettingText {
  const meta = schema.meta();
  if (meta === undefined) throw new Error("A setting's schema has no text.");
  return meta as unknown as SettingText;
}

/**
 * Pulumi hands every value over as text: scalars as they are written, objects and lists as JSON. Text that does not read as the wanted
 * type is passed on as it is, so that the fault shows what was written.
 */
export function integer(min: number, max: number) {
  return z.preprocess(
    (raw) => (typeof raw === "string" && /^-?\d+(\.\d+)?$/.test(raw) ? Number(raw) : raw),
    z.int().min(min).max(max),
  );
}

export function flag() {
  return z.preprocess((raw) => (raw === "true" ? true : raw === "false" ? false : raw), z.boolean());
}

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

/** A list without repetition. */
export function list(item: z.ZodType<string>) {
  return fromJson(
    z.array(item).superRefine((items, context) => {
      for (const repeated of new Set(items.filter((entry, index) => items.indexOf(entry) !== index))) {
        context.addIssue({ code: "custom", message: `'${repeated}' stands there more than once` });
      }
    }),
  );
}
