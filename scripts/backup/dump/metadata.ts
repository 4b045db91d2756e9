import { z } from "zod";
import { formatDescription, parseDescription } from "../description.ts";
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

/** A stored file: its name, size and checksum. */
export const fileSchema = z.object({ name: z.string(), bytes: z.number(), sha256: z.string() });

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

const form = { schema: bodySchema, format: metadataFormat, file: metadataFile };

/** Formats the description of a dump, with a digest of it. */
export function formatMetadata(metadata: DumpMetadata): string {
  return formatDescription(form, metadata);
}

/**
 * Parses the description of a dump.
 *
 * @returns the reason if it is damaged or of another version
 */
export function parseMetadata(text: string): { metadata: DumpMetadata } | { reason: string } {
  return parseDescription(form, text);
}
