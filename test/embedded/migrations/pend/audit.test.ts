import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { seeded } from "./cases/seeded.ts";

const appendOnly = ["admin_logs", "system_logs", "system_metrics", "api_usage_logs", "investment_agreements"];
let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("pend", ["reference", "dev"]);
});
afterAll(() => database?.stop());

const newest = "order by timestamp desc limit 1";

describe("the administrators' log", () => {
  it("records which administrator changed what of a user, from where, with the old and the new row", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query(`set local app.admin_user_id = '${seeded.compliance}'`);
      await app.query("set local app.client_ip = '203.0.113.9'");
      await app.query("set local app.request_id = 'request 7'");
      await app.query("update users set status = 'suspended', status_reason = 'Test' where id = $1", [seeded.bob]);
      const { rows } = await app.query(
        `select admin_user_id, action, outcome, target_type, changed_columns, old_data ->> 'status' as old_status,
           new_data ->> 'status' as new_status, new_data ->> 'password_hash' as password, new_data ->> 'phone_hash' as phone,
           host(ip) as ip, request_id, database_user
         from admin_logs where target_id = $1 ${newest}`,
        [seeded.bob],
      );
      expect(rows[0]).toEqual({
        admin_user_id: seeded.compliance,
        action: "users.update",
        outcome: "succeeded",
        target_type: "users",
        changed_columns: ["status", "status_reason"],
        old_status: "active",
        new_status: "suspended",
        password: "[redacted]",
        phone: "[redacted]",
        ip: "203.0.113.9",
        request_id: "request 7",
        database_user: "pend_app",
      });
    });
  });

  it("leaves out what users do themselves, and what investments do to an asset", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const before = await logged();
      await app.query("update users set last_login_at = now() where id = $1", [seeded.bob]);
      await app.query("update user_profiles set city = 'Bremen' where user_id = $1", [seeded.bob]);
      await app.query("insert into investments (user_id, asset_id, amount) values ($1, $2, 100)", [
        seeded.bob,
        seeded.asset,
      ]);
      expect(await logged()).toBe(before);
    });
  });

  it("records administrative changes by anyone, but no update that changes nothing", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const before = await logged();
      await app.query("update assets set name = name where id = $1", [seeded.asset]);
      expect(await logged()).toBe(before);
      await app.query("update assets set summary = 'Test' where id = $1", [seeded.asset]);
      await app.query("delete from admin_permissions where role = 'viewer' and resource = 'system'");
      await app.query("update user_tiers set fee_rate = 0.5 where code = 'basic'");
      const { rows } = await app.query(
        "select action, target_id, admin_user_id, new_data ? 'search' as search from admin_logs order by timestamp desc limit 3",
      );
      expect(rows.reverse()).toEqual([
        { action: "assets.update", target_id: seeded.asset, admin_user_id: null, search: false },
        { action: "admin_permissions.delete", target_id: "viewer,system,read", admin_user_id: null, search: null },
        { action: "user_tiers.update", target_id: "basic", admin_user_id: null, search: false },
      ]);
    });
  });

  it("refuses a change whose author is not an administrator, so that no author is lost", async () => {
    const { app } = database;
    const change = (author: string) =>
      refusal(
        inTransaction(app, "rollback", async () => {
          await app.query(`set local app.admin_user_id = '${author}'`);
          await app.query("update users set status_reason = 'Test' where id = $1", [seeded.bob]);
        }),
      );
    expect((await change("ada")).message).toBe('invalid input syntax for type uuid: "ada"');
    expect(await change(seeded.alice)).toMatchObject({ code: "23503", constraint: "admin_logs_admin_user_id_fkey" });
  });

  it("contains no secret of any seeded row", async () => {
    const { rows } = await database.app.query(
      "select from admin_logs where new_data::text ~ '\\$2b\\$' or old_data::text ~ '\\$2b\\$'",
    );
    expect(rows).toEqual([]);
  });
});

describe("an append-only table", () => {
  it.each(appendOnly)("accepts rows from the app, but no update, delete or truncate: %s", async (table) => {
    const { app, migrator } = database;
    const { rows } = await migrator.query<{ name: string }>(
      "select attname as name from pg_attribute where attrelid = $1::regclass and attnum = 1",
      [table],
    );
    const column = rows[0]?.name;
    for (const statement of [`update ${table} set ${column} = null`, `delete from ${table}`, `truncate ${table}`]) {
      expect((await refusal(app.query(statement))).message, statement).toBe(`permission denied for table ${table}`);
      expect((await refusal(migrator.query(statement))).message, statement).toMatch(
        new RegExp(`^(UPDATE|DELETE|TRUNCATE) on ${table} is not allowed: the table is append-only$`),
      );
    }
  });

  it("allows changes only by the owner in declared maintenance", async () => {
    const { app, migrator } = database;
    await inTransaction(migrator, "rollback", async () => {
      await migrator.query("set local app.maintenance = 'on'");
      expect((await migrator.query("delete from api_usage_logs")).rowCount).toBe(200);
    });
    await inTransaction(app, "rollback", async () => {
      await app.query("set local app.maintenance = 'on'");
      const error = await refusal(app.query("update users set kyc_level = 3 where id = $1", [seeded.dave]));
      expect(error).toMatchObject({ code: "23514", constraint: "users_kyc_level_follows_applications" });
    });
  });

  it("accepts the rows that applications write", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("insert into admin_logs (action, admin_user_id) values ('session.login', $1)", [seeded.admin]);
      await app.query("insert into system_logs (level, component, message) values ('info', 'api', 'Test')");
      await app.query("insert into system_metrics (name, source, value, unit) values ('test', 'test', 1, 'count')");
      await app.query(
        "insert into api_usage_logs (method, endpoint, status_code, duration_ms) values ('GET', '/', 200, 1)",
      );
    });
  });
});

async function logged() {
  const { rows } = await database.app.query<{ count: number }>("select count(*)::int as count from admin_logs");
  return rows[0]?.count;
}
