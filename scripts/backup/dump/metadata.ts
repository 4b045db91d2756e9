import { createHash } from "node:crypto";
import { z } from "zod";
import { dumpFormats } from "./format.ts";

/** Version of the metadata's format. */
export const metadataFormat = 1;

/** Name of the file that describes a dump. It is written last. */
export const metadataFile = "metadata.json";

export type { DumpFormat } from "./format.ts";

const tableSchema = z.object({ table: z.string(), rows: z.number(), checksum: z.string() });

const contentSchema = z.object({
  encoding: z.string(),
  /** `c` libc, `i` ICU, `b` builtin. */
  provider: z.string(),
  collate: z.string(),
  ctype: z.string(),
  locale: z.string().nullable(),
  extensions: z.array(z.object({ name: z.string(), version: z.string() })),
  /** Roles that own objects or have privileges on them. */
  roles: z.array(z.string()),
  owner: z.string(),
  bootstrapSuperuser: z.string(),
  /** Files recorded as applied, oldest first. null: the database records no migrations. */
  migrations: z.array(z.string()).nullable(),
  /** Tables with their own rows, without those of extensions. */
  tables: z.array(tableSchema),
  largeObjects: z.number(),
});

const fileSchema = z.object({ name: z.string(), bytes: z.number(), sha256: z.string() });

const bodySchema = z.object({
  format: z.literal(metadataFormat),
  id: z.string(),
  database: z.string(),
  /** Stack, or server of a connection. */
  source: z.string(),
  scope: z.enum(["full", "schema"]),
  kind: z.enum(dumpFormats),
  compressed: z.boolean(),
  /** Public keys that the dump is encrypted to. Empty: it is not encrypted. */
  recipients: z.array(z.string()),
  reason: z.enum(["requested", "scheduled", "before-load", "before-revert"]),
  /** ISO 8601. */
  startedAt: z.string(),
  finishedAt: z.string(),
  durationMs: z.number(),
  server: z.object({ version: z.string(), major: z.number() }),
  programs: z.string(),
  content: contentSchema,
  files: z.array(fileSchema),
  bytes: z.number(),
  /** Command that loads this dump. */
  restore: z.string(),
});

/** Number and checksum of the rows of a table. */
export type TableRows = z.output<typeof tableSchema>;
/** Contents of a database at one moment, and the properties that a copy of it needs. */
export type DatabaseContent = z.output<typeof contentSchema>;
/** A file of a dump. */
export type DumpFile = z.output<typeof fileSchema>;
/** Description of a dump. */
export type DumpMetadata = z.output<typeof bodySchema>;

/** Formats the description of a dump, with a digest of it. */
export function formatMetadata(metadata: DumpMetadata): string {
  return `${JSON.stringify({ ...metadata, digest: digestOf(metadata) }, null, 2)}\n`;
}

/**
 * Parses the description of a dump.
 *
 * @returns the reason if it is damaged or of another version
 */
export function parseMetadata(text: string): { metadata: DumpMetadata } | { reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reason: `${metadataFile} is not JSON` };
  }
  const version = (value as { format?: unknown } | null)?.format;
  if (typeof version === "number" && version !== metadataFormat)
    return { reason: `${metadataFile} has format ${version}, but this version of pgroundwork reads ${metadataFormat}` };
  const parsed = bodySchema.safeParse(value);
  if (!parsed.success) return { reason: `${metadataFile} is damaged: ${parsed.error.issues[0]?.path.join(".")}` };
  if ((value as { digest?: unknown }).digest !== digestOf(parsed.data))
    return { reason: `${metadataFile} is damaged: its digest does not match` };
  return { metadata: parsed.data };
}

function digestOf(metadata: DumpMetadata): string {
  // In the order of the schema, so that it does not depend on who wrote it.
  return createHash("sha256")
    .update(JSON.stringify(bodySchema.parse(metadata)))
    .digest("hex");
}
