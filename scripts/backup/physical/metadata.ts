import { z } from "zod";
import { formatDescription, parseDescription } from "../description.ts";
import { fileSchema } from "../dump/metadata.ts";

/** Version of the metadata's format. */
export const archiveFormat = 1;

/** Name of the file that describes a physical archive. It is written last. */
export const archiveMetadataFile = "archive.json";

/** A database, and the migrations that it records as applied. */
export interface ArchivedDatabase {
  name: string;
  /** Files recorded as applied, oldest first. null: the database records no migrations. */
  migrations: string[] | null;
}

/** Description of a physical archive. */
export interface ArchiveMetadata {
  format: typeof archiveFormat;
  id: string;
  /** Stack, or server of a connection. */
  source: string;
  compressed: boolean;
  /** Public keys that the archive is encrypted to. Empty: it is not encrypted. */
  recipients: string[];
  /** ISO 8601. */
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  server: { version: string; major: number };
  systemIdentifier: string;
  timeline: number;
  segmentBytes: number;
  /** Position in the WAL at which a recovery of the archive begins. */
  startLsn: string;
  /** Position at which the copy is consistent. */
  stopLsn: string;
  /** WAL segments in the archive: all from the first position to the last. */
  segments: string[];
  /** Databases that existed, with their migrations, when the archive was complete. */
  databases: ArchivedDatabase[];
  /** Size of the cluster's files before compression. */
  clusterBytes: number;
  file: { name: string; bytes: number; sha256: string };
  /** Command that restores this archive to a new folder. */
  restore: string;
}

// The types are written out: the package's declarations would have all of zod's types otherwise.
const bodySchema = z.object({
  format: z.literal(archiveFormat),
  id: z.string(),
  source: z.string(),
  compressed: z.boolean(),
  recipients: z.array(z.string()),
  startedAt: z.string(),
  finishedAt: z.string(),
  durationMs: z.number(),
  server: z.object({ version: z.string(), major: z.number() }),
  systemIdentifier: z.string(),
  timeline: z.number(),
  segmentBytes: z.number(),
  startLsn: z.string(),
  stopLsn: z.string(),
  segments: z.array(z.string()),
  databases: z.array(z.object({ name: z.string(), migrations: z.array(z.string()).nullable() })),
  clusterBytes: z.number(),
  file: fileSchema,
  restore: z.string(),
}) satisfies z.ZodType<ArchiveMetadata>;

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
