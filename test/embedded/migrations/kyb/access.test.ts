import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { insert } from "../table-cases.ts";
import { permission, seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("kyb", ["reference", "dev"]);
});
afterAll(() => database?.stop());

const may = async (person: string, name: string, asOf = "now()") => {
  const { rows } = await database.app.query<{ may: boolean }>(`select user_may($1, $2, ${asOf}) as may`, [
    person,
    name,
  ]);
  return rows[0]?.may;
};

describe("a role", () => {
  it("is effective from its assignment until it expires or is revoked", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      expect(await may(seeded.analyst, "audit:read")).toBe(true);
      expect(await may(seeded.analyst, "audit:read", "now() - interval '6 days'")).toBe(false);
      expect(await may(seeded.analyst, "audit:read", "now() + interval '181 days'")).toBe(false);
      await app.query(
        "update role_assignments set revoked_at = now(), revoke_reason = 'left' where user_id = $1 and revoked_at is null",
        [seeded.analyst],
      );
      expect(await may(seeded.analyst, "audit:read")).toBe(false);
      expect(await may(seeded.analyst, "audit:read", "now() - interval '1 day'")).toBe(true);
    });
  });

  it("gives nothing to an inactive user", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("update users set status = 'suspended' where id = $1", [seeded.admin]);
      expect(await may(seeded.admin, "user:read")).toBe(false);
    });
  });

  it("can be assigned again after it ended, but not twice at a time", async () => {
    const { app } = database;
    const again = { user_id: seeded.officer, role_id: "10000000-0000-4000-8000-000000000003" };
    await inTransaction(app, "rollback", async () => {
      await insert(app, "role_assignments", again);
      const error = await refusal(insert(app, "role_assignments", again));
      expect(error.constraint).toBe("role_assignments_no_overlap");
    });
  });

  it("keeps its assignments: they are neither deleted nor changed", async () => {
    const { app, migrator } = database;
    expect((await refusal(app.query("delete from role_assignments"))).message).toBe(
      "permission denied for table role_assignments",
    );
    expect((await refusal(migrator.query("delete from role_assignments"))).message).toBe(
      "DELETE on role_assignments is not allowed: the table is append-only",
    );
    const changed = app.query("update role_assignments set role_id = $1 where user_id = $2", [
      seeded.auditor,
      seeded.test,
    ]);
    expect((await refusal(changed)).message).toMatch(/^facts of role_assignments .* do not change$/);
    const reversal = app.query(
      "update role_assignments set revoked_at = null, revoke_reason = null, revoked_by = null where revoked_at is not null",
    );
    expect((await refusal(reversal)).message).toMatch(/^facts of role_assignments .* do not change$/);
  });

  it("cannot be renamed or deleted if it comes with the schema", async () => {
    for (const statement of [
      "update roles set name = 'root' where name = 'admin'",
      "delete from roles where name = 'admin'",
    ]) {
      const error = await refusal(database.app.query(statement));
      expect(error.message).toBe("role admin comes with the schema: it is neither renamed nor deleted");
    }
  });
});

describe("an API key", () => {
  it("has its permissions while its holder has them", async () => {
    const { app } = database;
    const keyMay = async () =>
      (await app.query("select api_key_may($1, 'risk:assess') as may", [seeded.analystKey])).rows;
    await inTransaction(app, "rollback", async () => {
      expect(await keyMay()).toEqual([{ may: true }]);
      await app.query("delete from role_permissions where permission_id = $1", [permission("risk:assess")]);
      expect(await keyMay()).toEqual([{ may: false }]);
    });
  });

  it("keeps its hash and its holder, and once revoked everything except its counters", async () => {
    const { app } = database;
    const change = (id: string, set: string) => app.query(`update api_keys set ${set} where id = $1`, [id]);
    const facts = (id: string) => `facts of api_keys ${id} do not change`;
    expect((await refusal(change(seeded.adminKey, "key_hash = repeat('a', 64)"))).message).toBe(facts(seeded.adminKey));
    expect((await refusal(change(seeded.adminKey, `user_id = '${seeded.test}'`))).message).toBe(facts(seeded.adminKey));
    expect(
      (await refusal(change(seeded.revokedKey, "revoked_at = null, revoke_reason = null, revoked_by = null"))).message,
    ).toBe(facts(seeded.revokedKey));
    await inTransaction(app, "rollback", async () => {
      const counted = await change(seeded.revokedKey, "request_count = request_count + 1, last_used_at = now()");
      expect(counted.rowCount).toBe(1);
    });
  });
});

describe("tokens", () => {
  it("of all three kinds are deleted once they have expired, and no others", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("delete from token_blacklist");
      for (const days of [1, 3]) {
        await app.query(
          `with verification as (
             insert into email_verification_tokens (user_id, email, token_hash, expires_at)
             values ($1, 'a@example.com', repeat($2, 64), now() + make_interval(days => $3))),
           reset as (
             insert into password_reset_tokens (user_id, token_hash, expires_at) values ($1, repeat($2, 64), now() + make_interval(days => $3)))
           insert into token_blacklist (token_id, user_id, token_type, reason, expires_at)
           values (gen_random_uuid(), $1, 'access', 'logout', now() + make_interval(days => $3))`,
          [seeded.newcomer, String(days), days],
        );
      }
      const { rows } = await app.query("select delete_expired_tokens(now() + interval '2 days') as deleted");
      expect(rows).toEqual([{ deleted: 3 }]);
    });
  });
});

describe("a webhook event", () => {
  const set = (change: string) =>
    database.app.query(`update webhook_events set ${change} where id = $1`, [seeded.pendingEvent]);

  it("goes from pending through attempts to delivered, and stays delivered", async () => {
    await inTransaction(database.app, "rollback", async () => {
      await set("status = 'delivering', attempts = 1, last_attempt_at = now()");
      await set("status = 'retrying', last_status_code = 503, last_error = 'busy'");
      await set("status = 'delivering', attempts = 2");
      await set("status = 'delivered', delivered_at = now(), next_attempt_at = null");
      const error = await refusal(set("status = 'retrying', next_attempt_at = now(), delivered_at = null"));
      expect(error.message).toBe(`webhook event ${seeded.pendingEvent} may not go from delivered to retrying`);
    });
  });

  it("counts attempts one by one, and is dead after the last", async () => {
    const jump = refusal(set("status = 'delivering', attempts = 2, last_attempt_at = now()"));
    expect((await jump).message).toBe(
      `webhook event ${seeded.pendingEvent}: attempts are counted one by one, not from 0 to 2`,
    );
    await inTransaction(database.app, "rollback", async () => {
      await database.app.query("update webhooks set max_attempts = 1");
      await set("status = 'delivering', attempts = 1, last_attempt_at = now()");
      await database.app.query("savepoint last");
      expect((await refusal(set("status = 'retrying'"))).message).toBe(
        `webhook event ${seeded.pendingEvent} has had its 1 attempts`,
      );
      await database.app.query("rollback to last");
      expect((await set("status = 'dead', next_attempt_at = null")).rowCount).toBe(1);
    });
  });

  it("keeps its payload", async () => {
    expect((await refusal(set("payload = '{}'"))).message).toBe(
      `webhook event ${seeded.pendingEvent} itself does not change`,
    );
  });
});
