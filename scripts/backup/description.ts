import { createHash } from "node:crypto";
import type { z } from "zod";

/** Form of the file that describes a dump or a physical archive. */
export interface DescriptionForm<Schema extends z.ZodType> {
  schema: Schema;
  /** Version of the format. */
  format: number;
  /** Name of the file. */
  file: string;
}

/** Formats a description as JSON, with a digest of it. */
export function formatDescription<Schema extends z.ZodType>(
  { schema }: DescriptionForm<Schema>,
  description: z.output<Schema>,
): string {
  return `${JSON.stringify({ ...(description as object), digest: digestOf(schema, description) }, null, 2)}\n`;
}

/**
 * Parses a description.
 *
 * @returns the reason if it is damaged or of another version
 */
export function parseDescription<Schema extends z.ZodType>(
  { schema, format, file }: DescriptionForm<Schema>,
  text: string,
): { metadata: z.output<Schema> } | { reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reason: `${file} is not JSON` };
  }
  const version = (value as { format?: unknown } | null)?.format;
  if (typeof version === "number" && version !== format)
    return { reason: `${file} has format ${version}, but this version of pgroundwork reads ${format}` };
  const parsed = schema.safeParse(value);
  if (!parsed.success) return { reason: `${file} is damaged: ${parsed.error.issues[0]?.path.join(".")}` };
  if ((value as { digest?: unknown }).digest !== digestOf(schema, parsed.data))
    return { reason: `${file} is damaged: its digest does not match` };
  return { metadata: parsed.data };
}

function digestOf(schema: z.ZodType, description: unknown): string {
  // In the order of the schema, so that it does not depend on who wrote it.
  return createHash("sha256")
    .update(JSON.stringify(schema.parse(description)))
    .digest("hex");
}
