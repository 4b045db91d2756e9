import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";

const admin = "20000000-0000-4000-8000-000000000001";
const trader = "20000000-0000-4000-8000-000000000002";
const appendOnly = [
  "audit_log",
  "order_audit",
  "position_audit",
  "account_audit",
  "user_activity_log",
  "api_access_log",
  "system_events",
  "lp_quotes",
  "circuit_breaker_events",
];
const writtenByTrigger = ["audit_log", "order_audit", "position_audit", "account_audit"];

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("trading", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("the audit", () => {
  it("records who changed what, from where, with the old and the new row", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("set local app.user_id = '20000000-0000-4000-8000-000000000001'");
      await app.query("set local app.client_ip = '203.0.113.9'");
      await app.query("set local app.request_id = 'request 7'");
      await app.query("update users set phone = '+4912345678', locked_until = '2030-01-01Z' where id = $1", [trader]);
      const { rows } = await app.query(
        `select table_name, action, changed_columns, old_data ->> 'phone' as old_phone, new_data ->> 'phone' as new_phone, user_id,
           host(ip) as ip, request_id, database_user, transaction_id = pg_current_xact_id() as same_transaction
         from audit_log where record_id = $1 order by occurred_at desc limit 1`,
        [trader],
      );
      expect(rows[0]).toEqual({
        table_name: "users",
        action: "update",
        changed_columns: ["locked_until", "phone"],
        old_phone: "+442071838750",
        new_phone: "+4912345678",
        user_id: admin,
        ip: "203.0.113.9",
        request_id: "request 7",
        database_user: "trading_app",
        same_transaction: true,
      });
    });
  });

  it("shows that a secret changed, but not its value", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("update users set two_factor_secret = 'JBSWY3DP', two_factor_enabled = true where id = $1", [
        trader,
      ]);
      await app.query(
        `insert into api_keys (user_id, name, key_prefix, key_hash, scopes) values ($1, 'Test', 'auditkey', repeat('ab', 32), '{read}')`,
        [trader],
      );
      const { rows } = await app.query(
        `select old_data -> 'two_factor_secret' as old_secret, new_data -> 'two_factor_secret' as new_secret,
           new_data -> 'password_hash' as password, changed_columns
         from audit_log where record_id = $1 order by occurred_at desc limit 1`,
        [trader],
      );
      expect(rows[0]).toEqual({
        old_secret: null,
        new_secret: "[redacted]",
        password: "[redacted]",
        changed_columns: ["two_factor_enabled", "two_factor_secret"],
      });
      const { rows: leaks } = await app.query(
        "select from audit_log where new_data::text ~ '(JBSWY3DP|abababab|\\$2b\\$)' or old_data::text ~ '(JBSWY3DP|abababab|\\$2b\\$)'",
      );
      expect(leaks).toEqual([]);
    });
  });

  it("records inserts and deletes, also with composite keys, but no update that changes nothing", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const role = "10000000-0000-4000-8000-000000000005";
      await app.query("insert into user_roles (user_id, role_id) values ($1, $2)", [trader, role]);
      await app.query("update user_roles set role_id = role_id where user_id = $1 and role_id = $2", [trader, role]);
      await app.query("delete from user_roles where user_id = $1 and role_id = $2", [trader, role]);
      const { rows } = await app.query(
        `select action, old_data is null as no_old, new_data is null as no_new from audit_log
         where table_name = 'user_roles' and record_id = $1 order by occurred_at`,
        [`${trader},${role}`],
      );
      expect(rows).toEqual([
        { action: "insert", no_old: true, no_new: false },
        { action: "delete", no_old: false, no_new: true },
      ]);
    });
  });

  it("follows an order step by step", async () => {
    const { rows } = await database.app.query(
      `select old_status, new_status from order_audit join orders on orders.id = order_id
       where client_order_id = 'dev-0002' order by occurred_at`,
    );
    expect(rows).toEqual([
      { old_status: null, new_status: "new" },
      { old_status: "new", new_status: "partially_filled" },
      { old_status: "partially_filled", new_status: "filled" },
    ]);
  });

  it("follows accounts and positions, but not revaluations", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const count = async () => {
        const { rows } = await app.query(
          "select (select count(*) from account_audit)::int as accounts, (select count(*) from position_audit)::int as positions",
        );
        return rows[0] as { accounts: number; positions: number };
      };
      const before = await count();
      await app.query(
        "update positions set current_price = current_price + 1, unrealized_pnl = 5 where status = 'open'",
      );
      await app.query("update accounts set unrealized_pnl = 5, margin_used = 7");
      expect(await count()).toEqual(before);
      await app.query("update positions set stop_loss = 1 where id = '60000000-0000-4000-8000-000000000001'");
      await app.query("update accounts set leverage = 5 where account_number = 'LIVE-100001'");
      expect(await count()).toEqual({ accounts: before.accounts + 1, positions: before.positions + 1 });
    });
  });

  it("refuses a change whose author is not an ID, so that no author is lost", async () => {
    const { app } = database;
    const attempt = inTransaction(app, "rollback", async () => {
      await app.query("set local app.user_id = 'tom'");
      await app.query("update users set phone = null where id = $1", [trader]);
    });
    expect((await refusal(attempt)).message).toBe('invalid input syntax for type uuid: "tom"');
  });
});

describe("an append-only table", () => {
  it.each(appendOnly)("refuses update, delete and truncate by the app, also on its partitions: %s", async (table) => {
    const { rows } = await database.migrator.query<{ name: string }>(
      "select relid::text as name from pg_partition_tree($1::regclass) union select $1::text",
      [table],
    );
    const [column] = (
      await database.migrator.query<{ name: string }>(
        "select attname as name from pg_attribute where attrelid = $1::regclass and attname in ('occurred_at', 'quoted_at')",
        [table],
      )
    ).rows;
    for (const { name } of rows) {
      const message = `permission denied for table ${name}`;
      for (const statement of [
        `update ${name} set ${column?.name} = now()`,
        `delete from ${name}`,
        `truncate ${name}`,
      ]) {
        expect((await refusal(database.app.query(statement))).message, statement).toBe(message);
      }
      expect((await refusal(database.readonly.query(`delete from ${name}`))).message).toBe(message);
    }
  });

  it.each(writtenByTrigger)("refuses a forged row from the app: %s", async (table) => {
    const error = await refusal(database.app.query(`insert into ${table} (id) values (gen_random_uuid())`));
    expect(error.message).toBe(`permission denied for table ${table}`);
  });

  it("refuses changes by the owner too, and despite privileges given by mistake", async () => {
    const { migrator, superuser } = database;
    await inTransaction(superuser, "rollback", async () => {
      await superuser.query("grant update, delete on audit_log, audit_log_default to trading_app");
      await superuser.query("set local role trading_app");
      expect((await refusal(superuser.query("delete from audit_log"))).message).toBe(
        `DELETE on ${await firstPartition()} is not allowed: the table is append-only`,
      );
    });
    for (const statement of [
      "update account_audit set ip = null",
      "delete from account_audit",
      "truncate account_audit",
    ]) {
      const error = await refusal(migrator.query(statement));
      expect(error.message).toMatch(
        /^(UPDATE|DELETE|TRUNCATE) on account_audit is not allowed: the table is append-only$/,
      );
    }
  });

  it("allows changes only by the owner in declared maintenance", async () => {
    const { app, migrator } = database;
    await inTransaction(migrator, "rollback", async () => {
      await migrator.query("set local app.maintenance = 'on'");
      expect((await migrator.query("delete from account_audit")).rowCount).toBeGreaterThan(0);
    });
    await inTransaction(app, "rollback", async () => {
      await app.query("set local app.maintenance = 'on'");
      await refusal(app.query("delete from account_audit"));
    });
  });

  it("accepts the rows that applications write", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("insert into user_activity_log (user_id, activity) values ($1, 'session.login')", [trader]);
      await app.query(
        "insert into api_access_log (method, path, status_code, duration_ms) values ('GET', '/v1/orders', 200, 1.5)",
      );
      await app.query(
        "insert into system_events (severity, component, event_type, message) values ('info', 'test', 'test.ran', '')",
      );
    });
  });

  it("allows an event to be handled, but keeps its facts", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await app.query<{ id: string }>(
        "insert into risk_events (event_type, severity, description) values ('margin_call', 'info', 'Test') returning id",
      );
      const id = rows[0]?.id;
      const handled =
        "update risk_events set status = 'acknowledged', acknowledged_by = $2, acknowledged_at = now() where id = $1";
      expect((await app.query(handled, [id, admin])).rowCount).toBe(1);
      const error = await refusal(app.query("update risk_events set severity = 'critical' where id = $1", [id]));
      expect(error.message).toBe(`facts of risk_events ${id} do not change`);
    });
    expect((await refusal(app.query("delete from risk_events"))).message).toBe(
      "permission denied for table risk_events",
    );
  });
});

async function firstPartition(): Promise<string> {
  const { rows } = await database.migrator.query<{ name: string }>(
    "select tableoid::regclass::text as name from audit_log limit 1",
  );
  return rows[0]?.name ?? "";
}
