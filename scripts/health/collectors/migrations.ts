import type { Collector } from "../collector.ts";

/** Migrations as the kit's ledger in the database records them. */
export interface MigrationValues {
  /** True if migrations of the kit have run in this database. */
  hasLedger: boolean;
  applied: number;
  reverted: number;
  failed: number;
  lastFile: string | null;
  lastAt: Date | null;
}

export const migrations: Collector<MigrationValues> = {
  name: "migrations",
  needs: "any role",
  async collect(observer) {
    const none = { hasLedger: false, applied: 0, reverted: 0, failed: 0, lastFile: null, lastAt: null };
    const [ledger] = await observer.query<{ exists: boolean }>(
      `select exists (select from pg_class c join pg_namespace n on n.oid = relnamespace
                       where nspname = 'pgroundwork' and relname = 'migration_ledger')`,
    );
    if (ledger?.exists !== true) return none;
    const [row] = await observer.query<Omit<MigrationValues, "hasLedger">>(
      `select count(*) filter (where direction = 'up' and outcome is null)::int as applied,
              count(*) filter (where direction = 'down')::int as reverted, count(*) filter (where outcome = 'failed')::int as failed,
              (array_agg(filename order by id desc))[1] as "lastFile", max(started_at) as "lastAt"
         from pgroundwork.migration_ledger`,
    );
    return { ...none, ...row, hasLedger: true };
  },
};
