import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyMigrations } from "../../../../scripts/migrate/apply.ts";
import { describeSchemaRules } from "../describe-schema-rules.ts";
import {
  databaseFolder,
  type MigratedDatabase,
  refusal,
  startMigratedDatabase,
  upFiles,
} from "../migrated-database.ts";

describeSchemaRules("trading", {
  tables: {
    core: "users user_roles accounts account_transactions orders order_fills positions trades instruments",
    audit:
      "audit_log user_activity_log order_audit position_audit account_audit risk_events compliance_events system_events api_access_log",
    liquidity:
      "liquidity_providers lp_instruments lp_quotes lp_order_routing lp_performance_metrics lp_exposure sor_rules client_profiles",
    risk: "risk_limits risk_limit_breaches margin_requirements margin_calls position_risk_metrics portfolio_risk circuit_breakers circuit_breaker_events risk_alerts stress_test_scenarios stress_test_results",
    other:
      "currencies exchange_rates roles permissions role_permissions sessions login_attempts password_reset_tokens api_keys payments instrument_sessions price_bars",
  },
  indexes: "orders_working_limit_idx",
  appendOnly:
    "audit_log order_audit position_audit account_audit user_activity_log api_access_log system_events lp_quotes order_fills trades account_transactions circuit_breaker_events",
  definerFunctionsForAll: ["applied_migrations()"],
  ownerFunctions:
    "ensure_partitions create_month_partition copy_privileges revoke_from_grantees restrict_to_owner reject_row_change",
});

describe("the trading database", () => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase("trading", [], false);
    await applyMigrations({ connection: database.server.as("migrator", "trading"), folder: databaseFolder("trading") });
  });
  afterAll(() => database?.stop());

  it("has at least 80 indexes, of every requested kind", async () => {
    const { rows } = await database.migrator.query(`
      select count(*)::int as total,
        count(*) filter (where amname = 'btree')::int as btree,
        count(*) filter (where amname = 'brin')::int as brin,
        count(*) filter (where definition like '%gin_trgm_ops%')::int as trigram,
        count(*) filter (where definition like '%jsonb_path_ops%')::int as jsonb,
        count(*) filter (where indnkeyatts > 1)::int as composite,
        count(*) filter (where indpred is not null)::int as partial,
        count(*) filter (where indisunique and not indisprimary)::int as "unique"
      from pg_index join pg_class as index on index.oid = indexrelid join pg_am on pg_am.oid = relam
      join pg_class as of_table on of_table.oid = indrelid
      cross join lateral pg_get_indexdef(indexrelid) as definition
      where of_table.relnamespace = 'public'::regnamespace and not of_table.relispartition`);
    const { total, ...kinds } = rows[0] as Record<string, number>;
    expect(total).toBeGreaterThanOrEqual(80);
    for (const [kind, count] of Object.entries(kinds)) expect(count, kind).toBeGreaterThan(0);
  });

  it("shows its migrations and their durations in schema_migrations to roles that cannot read the ledger", async () => {
    const shown = `select version::int, name, applied_at <= now() as is_applied, execution_ms > 0 as is_timed
      from schema_migrations order by version`;
    const names = (await upFiles("trading")).map((path) => basename(path));
    const expected = names.map((name, index) => ({ version: index + 1, name, is_applied: true, is_timed: true }));
    for (const role of ["app", "readonly"] as const) {
      expect((await database[role].query(shown)).rows).toEqual(expected);
      const direct = database[role].query("select from pgroundwork.migration_ledger");
      expect((await refusal(direct)).message).toBe("permission denied for schema pgroundwork");
    }
    const error = await refusal(database.app.query("delete from schema_migrations"));
    expect(error.message).toMatch(/^(permission denied for|cannot delete from) view "?schema_migrations"?$/);
  });

  it("shows no durations in schema_migrations without the ledger, and no rows without a tracking table", async () => {
    const { migrator } = database;
    const shown = async () =>
      (await migrator.query("select name, execution_ms as ms from schema_migrations order by version")).rows;
    await migrator.query("begin; drop schema pgroundwork cascade");
    const names = (await upFiles("trading")).map((path) => basename(path));
    expect(await shown()).toEqual(names.map((name) => ({ name: `${name.slice(0, 6)}.sql`, ms: null })));
    await migrator.query("drop schema graphile_migrate cascade");
    expect(await shown()).toEqual([]);
    await migrator.query("rollback");
    expect(await shown()).toHaveLength(names.length);
  });
});
