import type { Collector } from "../collector.ts";

/** Migrations of a database, as it records them. Pending files are not known here. */
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
}

export const migrations: Collector<MigrationValues> = {
  name: "migrations",
  needs: "any role",
  async collect(observer) {
    const none = { hasLedger: false, applied: 0, begun: 0, lastFile: null, lastAt: null };
    const [found] = await observer.query<{ ledger: boolean; applied: boolean }>(
      `select to_regclass('pgroundwork.migration_ledger') is not null as ledger,
              to_regclass('graphile_migrate.migrations') is not null as applied`,
    );
    if (found?.ledger !== true) return none;
    const [open] = await observer.query<Pick<MigrationValues, "begun">>(
      "select count(*)::int as begun from pgroundwork.migration_ledger where finished_at is null",
    );
    const values = { ...none, ...open, hasLedger: true };
    if (!found.applied) return values;
    // The ledger also has migrations that were reverted since. graphile-migrate records only the number of a file.
    const [applied] = await observer.query<Pick<MigrationValues, "applied" | "lastFile" | "lastAt">>(
      `select (select count(*)::int from graphile_migrate.migrations) as applied,
              coalesce((select filename from pgroundwork.migration_ledger entry
                         where entry.hash = newest.hash and direction = 'up' order by id desc limit 1),
                       newest.filename) as "lastFile",
              newest.date as "lastAt"
         from (select 1) one
              left join (select filename, hash, date from graphile_migrate.migrations
                          order by filename desc limit 1) newest on true`,
    );
    return { ...values, ...applied };
  },
};
