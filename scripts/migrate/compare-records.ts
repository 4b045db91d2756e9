import { existsSync } from "node:fs";
import { OperationError } from "../core/operation-error.ts";
import type { MigrationRecord } from "../databases/migration-records.ts";
import { committedFolder, readCommitted } from "./committed.ts";
import { compareMigrations, type LedgerEntry } from "./status.ts";

/**
 * Returns a function that compares a database's records with the committed files of a folder; undefined if the folder
 * has none. The files are read at each call.
 */
export function recordComparison(folder: string) {
  if (!existsSync(committedFolder(folder))) return undefined;
  return async (records: readonly MigrationRecord[]): Promise<{ pending: string[]; problems: string[] }> => {
    try {
      const files = await readCommitted(folder);
      const tracked = records.flatMap(({ trackingName, hash, appliedAt }) =>
        trackingName === null || appliedAt === null
          ? []
          : [{ trackingName, hash, previousHash: null, date: appliedAt }],
      );
      const { pending, problems } = compareMigrations(files, tracked, records.flatMap(ledgerEntry));
      return {
        pending: pending.map(({ filename }) => filename),
        problems: problems.map(({ kind, filename }) => `${filename} (${kind})`),
      };
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return { pending: [], problems: [error.message] };
    }
  };
}

function ledgerEntry(record: MigrationRecord): LedgerEntry[] {
  const { filename, direction, hash, sha256, acceptedSha256, startedAt, finishedAt } = record;
  if (filename === null || direction === null || sha256 === null || startedAt === null) return [];
  return [
    { filename, direction, hash, sha256, acceptedSha256, startedAt, finishedAt, durationMs: null, appliedBy: "" },
  ];
}
