import { applyMigrations } from "../../../../../scripts/migrate/apply.ts";
import { type MigrationPlan, type PlanOptions, planMigrations } from "../../../../../scripts/migrate/plan/plan.ts";
import type { Draft } from "../../../../unit/scripts/migrate/committed-folder.ts";
import type { PerTest } from "../database-per-test.ts";

/** Draft that is applied before the planned files. */
export const base: Draft = {
  name: "base",
  body: `create table customers (id int primary key, name text);
         create table orders (id int primary key, customer int, note text, placed timestamptz not null default now());
         create index orders_customer on orders (customer);`,
};

/** Plans migrations for a test's database. The server's superuser creates the scratch database. */
export function plansFor(test: PerTest) {
  const plan = (folder: string, options: Partial<PlanOptions> = {}): Promise<MigrationPlan> =>
    planMigrations({ connection: test.connection, admin: test.server.connection(), folder, ...options });
  /** Applies `base` and plans the files after it. */
  const planBehindBase = async (drafts: readonly Draft[], options?: Partial<PlanOptions>): Promise<MigrationPlan> => {
    const { folder } = await test.folderOf([base, ...drafts]);
    await applyMigrations({ connection: test.connection, folder, to: "1" });
    return plan(folder, options);
  };
  return { plan, planBehindBase };
}
