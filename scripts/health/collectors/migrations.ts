import { readMigrationRecords } from "../../databases/migration-records.ts";
import type { Collector } from "../collector.ts";

/** Migrations of a database, as it records them. */
export interface MigrationValues {
  /** True if migrations of the kit have run in this database. */
  hasLedger: boolean;
  /** Migrations that are applied now. */
  applied: number;
  /** Files that were begun outside a transaction and have not ended: they run, or were interrupted. */
  begun: number;
  /** Newest applied migration; null if there is none. */
  lastFile: string | null;
  lastAt: Date | null;
  /** Committed files that are not applied; null if there are no files to compare with. */
  pending: string[] | null;
  /** Differences between applied files and their records; null if there are no files to compare with. */
  problems: string[] | null;
}

export const migrations: Collector<MigrationValues> = {
  name: "migrations",
  needs: "the ledger or the monitoring schema",
  async collect(observer, { compareMigrations }) {
    const records = await readMigrationRecords(observer);
    const compared = await compareMigrations?.(records ?? []);
    // graphile-migrate records only the number of a file.
    const applied = (records ?? []).filter(({ trackingName }) => trackingName !== null);
    const last = applied.at(-1);
    return {
      hasLedger: records !== undefined,
      applied: applied.length,
      begun: (records ?? []).filter(({ startedAt, finishedAt }) => startedAt !== null && finishedAt === null).length,
      lastFile: last?.filename ?? last?.trackingName ?? null,
      lastAt: last?.appliedAt ?? null,
      pending: compared?.pending ?? null,
      problems: compared?.problems ?? null,
    };
  },
};
