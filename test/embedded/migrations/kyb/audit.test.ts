import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { check, permission, seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("kyb", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("the audit", () => {
  it("records who changed what, with which key, from where, with the old and the new row", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query(`set local app.user_id = '${seeded.admin}'`);
      await app.query(`set local app.api_key_id = '${seeded.adminKey}'`);
      await app.query("set local app.client_ip = '203.0.113.9'");
      await app.query("set local app.request_id = 'request 7'");
      await app.query("update businesses set assigned_to = $1 where id = $2", [seeded.analyst, seeded.draft]);
      const { rows } = await app.query(
        `select resource_type, action, changed_columns, old_data -> 'assigned_to' as old, new_data -> 'assigned_to' as new, user_id, api_key_id,
           host(ip) as ip, request_id, database_user, transaction_id = pg_current_xact_id() as same_transaction
         from audit_logs where resource_id = $1 order by occurred_at desc limit 1`,
        [seeded.draft],
      );
      expect(rows[0]).toEqual({
        resource_type: "businesses",
        action: "update",
        changed_columns: ["assigned_to"],
        old: null,
        new: seeded.analyst,
        user_id: seeded.admin,
        api_key_id: seeded.adminKey,
        ip: "203.0.113.9",
        request_id: "request 7",
        database_user: "kyb_app",
        same_transaction: true,
      });
    });
  });

  it.each([
    ["users", "company", "'Other'", seeded.test],
    ["api_keys", "name", "'Other'", seeded.adminKey],
    ["industry_codes", "title", "'Other'", "SIC,5812"],
    ["businesses", "city", "'Other'", seeded.coffee],
    ["compliance_checks", "score", "50", check("golden-gate-jewelers", "pep")],
    ["webhooks", "name", "'Other'", seeded.webhook],
    ["roles", "description", "'Other'", seeded.auditor],
  ])("records a change of %s", async (table, column, value, id) => {
    const { app } = database;
    const key = table === "industry_codes" ? "code_system || ',' || code" : "id::text";
    await inTransaction(app, "rollback", async () => {
      await app.query(`update ${table} set ${column} = ${value} where ${key} = $1`, [id]);
      const { rows } = await app.query(
        "select changed_columns from audit_logs where transaction_id = pg_current_xact_id() and resource_type = $1 and resource_id = $2",
        [table, id],
      );
      expect(rows).toEqual([{ changed_columns: [column] }]);
    });
  });

  it("records which rights roles and keys get and lose", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const pair = [seeded.user, permission("audit:read")];
      await app.query("insert into role_permissions (role_id, permission_id) values ($1, $2)", pair);
      await app.query("delete from role_permissions where role_id = $1 and permission_id = $2", pair);
      await app.query("delete from api_key_permissions where api_key_id = $1 and permission_id = $2", [
        seeded.analystKey,
        permission("risk:assess"),
      ]);
      const { rows } = await app.query(
        "select resource_type, action, resource_id from audit_logs where transaction_id = pg_current_xact_id() order by occurred_at",
      );
      expect(rows).toEqual([
        { resource_type: "role_permissions", action: "insert", resource_id: pair.join(",") },
        { resource_type: "role_permissions", action: "delete", resource_id: pair.join(",") },
        {
          resource_type: "api_key_permissions",
          action: "delete",
          resource_id: `${seeded.analystKey},${permission("risk:assess")}`,
        },
      ]);
    });
  });

  it("shows no secret", async () => {
    const { rows } = await database.app.query(
      `select distinct resource_type, coalesce(new_data ->> 'password_hash', new_data ->> 'key_hash', new_data ->> 'secret_ciphertext') as secret
       from audit_logs where resource_type in ('users', 'api_keys', 'webhooks') order by 1`,
    );
    expect(rows).toEqual([
      { resource_type: "api_keys", secret: "[redacted]" },
      { resource_type: "users", secret: "[redacted]" },
      { resource_type: "webhooks", secret: "[redacted]" },
    ]);
  });

  it("leaves out usage counters, and updates that change nothing", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("update users set last_login_at = now(), last_login_ip = '203.0.113.9'");
      await app.query("update api_keys set request_count = request_count + 1, last_used_at = now()");
      await app.query("update webhooks set consecutive_failures = 0, last_success_at = now()");
      await app.query("update businesses set city = city");
      const { rows } = await app.query("select from audit_logs where transaction_id = pg_current_xact_id()");
      expect(rows).toEqual([]);
    });
  });

  it("accepts the app's own actions at their true time, but no forged change of a row", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await app.query(
        `insert into audit_logs (action, resource_type, resource_id, occurred_at, database_user)
         values ('report.export', 'report', 'portfolio', '2000-01-01', 'somebody else')
         returning occurred_at > now() - interval '1 hour' as is_now, database_user`,
      );
      expect(rows).toEqual([{ is_now: true, database_user: "kyb_app" }]);
    });
    const forged = database.app.query(
      "insert into audit_logs (action, resource_type, resource_id, new_data) values ('insert', 'users', '1', '{}')",
    );
    expect((await refusal(forged)).message).toBe(
      "changes of rows are recorded by trigger alone, not reported: action insert",
    );
  });
});

describe.each(["audit_logs", "external_service_calls", "risk_assessments"])("%s", (table) => {
  it("is append-only for all roles, except in maintenance that the owner declares", async () => {
    const { app, readonly, migrator } = database;
    for (const verb of ["delete from", "truncate"]) {
      const statement = `${verb} ${table}${verb === "truncate" ? " cascade" : ""}`;
      expect((await refusal(app.query(statement))).message).toBe(`permission denied for table ${table}`);
      expect((await refusal(readonly.query(statement))).message).toBe(`permission denied for table ${table}`);
      const error = await refusal(migrator.query(statement));
      expect(error.message).toBe(
        `${verb.split(" ", 1)[0]?.toUpperCase()} on ${table} is not allowed: the table is append-only`,
      );
    }
    expect((await refusal(app.query(`update ${table} set id = id`))).message).toBe(
      `permission denied for table ${table}`,
    );
    expect((await refusal(migrator.query(`update ${table} set id = gen_random_uuid()`))).message).toMatch(
      /is not allowed: the table is append-only$|^facts of risk_assessments .* do not change$/,
    );
    await inTransaction(migrator, "rollback", async () => {
      await migrator.query("set local app.maintenance = 'on'");
      expect((await migrator.query(`delete from ${table}`)).rowCount).toBeGreaterThan(0);
    });
    await inTransaction(app, "rollback", async () => {
      await app.query("set local app.maintenance = 'on'");
      expect((await refusal(app.query(`delete from ${table}`))).message).toBe(`permission denied for table ${table}`);
    });
  });
});
