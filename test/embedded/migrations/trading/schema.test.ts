import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTradingDatabase, type TradingDatabase } from "./trading-database.ts";

let database: TradingDatabase;

beforeAll(async () => {
  database = await startTradingDatabase();
});
afterAll(() => database?.stop());

async function names(sql: string): Promise<string[]> {
  const { rows } = await database.migrator.query<{ name: string }>(sql);
  return rows.map(({ name }) => name).sort();
}

const asked = {
  core: "users user_roles accounts account_transactions orders order_fills positions trades instruments",
  audit:
    "audit_log user_activity_log order_audit position_audit account_audit risk_events compliance_events system_events api_access_log",
  liquidity:
    "liquidity_providers lp_instruments lp_quotes lp_order_routing lp_performance_metrics lp_exposure sor_rules client_profiles",
  risk: "risk_limits risk_limit_breaches margin_requirements margin_calls position_risk_metrics portfolio_risk circuit_breakers circuit_breaker_events risk_alerts stress_test_scenarios stress_test_results",
  beside:
    "currencies exchange_rates roles permissions role_permissions sessions login_attempts password_reset_tokens api_keys payments instrument_sessions price_bars",
};

const topLevel = "relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition";

describe("tables", () => {
  it("are those a trading back end was asked to have, and those it needs beside them", async () => {
    const tables = Object.values(asked).flatMap((group) => group.split(" "));
    expect(await names(`select relname as name from pg_class where ${topLevel}`)).toEqual(tables.sort());
  });

  it("belong to the owner role, functions too", async () => {
    const owners = await names(`
      select distinct relowner::regrole::text as name from pg_class where ${topLevel}
      union select proowner::regrole::text from pg_proc where proname in ('ensure_partitions', 'audit_row_change')`);
    expect(owners).toEqual(["trading_owner"]);
  });

  it("say what they are for, partitions too", async () => {
    const silent = await names(`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and obj_description(oid, 'pg_class') is null`);
    expect(silent).toEqual([]);
  });

  it("stamp updated_at wherever they have it", async () => {
    const unstamped = await names(`
      select relname as name from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'updated_at'
      where ${topLevel} and not exists (
        select from pg_trigger where tgrelid = pg_class.oid and tgfoid = 'set_updated_at'::regproc)`);
    expect(unstamped).toEqual([]);
  });

  it("have exact numbers and times with a zone only", async () => {
    const inexact = await names(`
      select relname || '.' || attname as name from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0
      where ${topLevel} and atttypid in ('float4'::regtype, 'float8'::regtype, 'money'::regtype, 'timestamp'::regtype, 'timetz'::regtype)`);
    expect(inexact).toEqual([]);
  });

  it("bound every numeric column", async () => {
    const unbounded = await names(`
      select relname || '.' || attname as name from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0
      where ${topLevel} and atttypid = 'numeric'::regtype and atttypmod = -1`);
    expect(unbounded).toEqual([]);
  });
});

describe("indexes", () => {
  it("are 80 or more, of every kind asked for", async () => {
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

  it("stand behind every foreign key", async () => {
    const unindexed = await names(`
      select conname as name from pg_constraint join pg_class on pg_class.oid = conrelid
      where contype = 'f' and connamespace = 'public'::regnamespace and not relispartition and not exists (
        select from pg_index
        where indrelid = conrelid and indisvalid
          and (indpred is null or pg_get_expr(indpred, indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
          and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)`);
    expect(unindexed).toEqual([]);
  });

  it("are never made twice", async () => {
    const twice = await names(`
      select indrelid::regclass || ': ' || string_agg(indexrelid::regclass::text, ', ') as name
      from pg_index join pg_class on pg_class.oid = indrelid
      where relnamespace = 'public'::regnamespace
      group by indrelid, indkey::text, indclass::text, indoption::text, pg_get_expr(indpred, indrelid), pg_get_expr(indexprs, indrelid),
        (select relam from pg_class where oid = indexrelid)
      having count(*) > 1`);
    expect(twice).toEqual([]);
  });

  it("are all valid, the concurrently built one too", async () => {
    expect(await names("select indexrelid::regclass::text as name from pg_index where not indisvalid")).toEqual([]);
    expect(await names("select relname as name from pg_class where relname = 'orders_working_limit_idx'")).toHaveLength(
      1,
    );
  });
});

describe("privileges", () => {
  it("of the app role are narrowed on append-only tables and their partitions", async () => {
    const wide = await names(`
      select relname || ' ' || privilege_type as name from pg_class, aclexplode(relacl) as acl
      where relnamespace = 'public'::regnamespace and acl.grantee = 'trading_app'::regrole
        and relname ~ '^(audit_log|order_audit|position_audit|account_audit|user_activity_log|api_access_log|system_events|lp_quotes|order_fills|trades|account_transactions|circuit_breaker_events)(_\\d{4}_\\d{2}|_default)?$'
        and privilege_type not in ('SELECT', 'INSERT')`);
    expect(wide).toEqual([]);
  });

  it("let nobody but the owner run what works with the owner's rights", async () => {
    const open = await names(`
      select proname || ' ' || acl.grantee::regrole as name from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
      where pronamespace = 'public'::regnamespace and acl.grantee <> proowner
        and (prosecdef or proname in ('ensure_partitions', 'create_month_partition', 'copy_privileges', 'revoke_from_grantees', 'restrict_to_owner', 'reject_row_change'))`);
    expect(open).toEqual([]);
  });

  it("pin the search path of every function", async () => {
    const loose = await names(`
      select proname as name from pg_proc
      where pronamespace = 'public'::regnamespace
        and not exists (select from unnest(proconfig) as setting where setting like 'search_path=%')
        and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')`);
    expect(loose).toEqual([]);
  });
});
