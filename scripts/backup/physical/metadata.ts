import { z } from "zod";
import { formatDescription, parseDescription } from "../description.ts";
import { fileSchema } from "../dump/metadata.ts";

/** Version of the metadata's format. */
export const archiveFormat = 1;

/** Name of the file that describes a physical archive. It is written last. */
export const archiveMetadataFile = "archive.json";

const databaseSchema = z.object({
  name: z.string(),
  /** Files recorded as applied, oldest first. null: the database records no migrations. */
  migrations: z.array(z.string()).nullable(),
});

const bodySchema = z.object({
  format: z.literal(archiveFormat),
  id: z.string(),
  /** Stack, or server of a connection. */
  source: z.string(),
  compressed: z.boolean(),
  /** Public keys that the archive is encrypted to. Empty: it is not encrypted. */
  recipients: z.array(z.string()),
  /** ISO 8601. */
  startedAt: z.string(),
  finishedAt: z.string(),
  durationMs: z.number(),
  server: z.object({ version: z.string(), major: z.number() }),
  systemIdentifier: z.string(),
  timeline: z.number(),
  segmentBytes: z.number(),
  /** Position in the WAL at which a recovery of the archive begins. */
  startLsn: z.string(),
  /** Position at which the copy is consistent. */
  stopLsn: z.string(),
  /** WAL segments in the archive: all from the first position to the last. */
  segments: z.array(z.string()),
  /** Databases that existed, with their migrations, when the archive was complete. */
  databases: z.array(databaseSchema),
  /** Size of the cluster's files before compression. */
  clusterBytes: z.number(),
  file: fileSchema,
  /** Command that restores this archive to a new folder. */
  restore: z.string(),
});

/** A database, and the migrations that it records as applied. */
export type ArchivedDatabase = z.output<typeof databaseSchema>;
/** Description of a physical archive. */
export type ArchiveMetadata = z.output<typeof bodySchema>;

const form = { schema: bodySchema, format: archiveFormat, file: archiveMetadataFile };

/** Formats the description of a physical archive, with a digest of it. */
export function formatArchiveMetadata(metadata: ArchiveMetadata): string {
  return formatDescription(form, metadata);
}

/**
 * Parses the description of a physical archive.
 *
 * @returns the reason if it is damaged or of another version
 */
export function parseArchiveMetadata(text: string): { metadata: ArchiveMetadata } | { reason: string } {
  return parseDescription(form, text);
}
