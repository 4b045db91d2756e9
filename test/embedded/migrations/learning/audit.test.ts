import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { option, seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("the audit", () => {
  it("records who changed what, from where, with the old and the new row", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query(`set local app.user_id = '${seeded.admin}'`);
      await app.query("set local app.client_ip = '203.0.113.9'");
      await app.query("set local app.request_id = 'request 7'");
      await app.query("update users set role = 'instructor' where id = $1", [seeded.lena]);
      const { rows } = await app.query(
        `select table_name, action, changed_columns, old_data ->> 'role' as old_role, new_data ->> 'role' as new_role, user_id,
           host(ip) as ip, request_id, database_user, transaction_id = pg_current_xact_id() as same_transaction
         from audit_log where record_id = $1 order by occurred_at desc limit 1`,
        [seeded.lena],
      );
      expect(rows[0]).toEqual({
        table_name: "users",
        action: "update",
        changed_columns: ["role"],
        old_role: "learner",
        new_role: "instructor",
        user_id: seeded.admin,
        ip: "203.0.113.9",
        request_id: "request 7",
        database_user: "learning_app",
        same_transaction: true,
      });
    });
  });

  it.each([
    ["users", "locale", "'es'", "id", seeded.lena],
    ["courses", "title", "'Other'", "id", seeded.course],
    ["lessons", "title", "'Other'", "id", seeded.lesson],
    ["assessments", "title", "'Other'", "id", seeded.quiz],
    ["questions", "prompt", "'Other?'", "id", seeded.numeric],
    ["question_options", "feedback", "'Other'", "id", option("fractions-half", 1)],
    ["assessment_questions", "position", "99", "assessment_id", seeded.draft],
  ])("records a change of %s", async (table, column, value, key, id) => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("insert into assessment_questions (assessment_id, question_id, position) values ($1, $2, 1)", [
        seeded.draft,
        seeded.numeric,
      ]);
      await app.query(`update ${table} set ${column} = ${value} where ${key} = $1`, [id]);
      const { rows } = await app.query(
        `select changed_columns from audit_log
         where transaction_id = pg_current_xact_id() and table_name = $1 and action = 'update' and record_id like $2`,
        [table, `${id}%`],
      );
      expect(rows).toEqual([{ changed_columns: [column] }]);
    });
  });

  it("contains no secrets and no personal data, so that it can outlive an erasure", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("delete from users where id = $1", [seeded.lena]);
      const { rows } = await app.query(
        `select distinct old_data -> 'email' as email, old_data -> 'display_name' as name, old_data -> 'password_hash' as password
         from audit_log where table_name = 'users' and record_id = $1 and action = 'delete'`,
        [seeded.lena],
      );
      expect(rows).toEqual([{ email: "[redacted]", name: "[redacted]", password: "[redacted]" }]);
      const { rows: leaks } = await app.query(
        "select from audit_log where concat(old_data, new_data) ~ '(Lena|learner1@|\\$2b\\$)'",
      );
      expect(leaks).toEqual([]);
    });
  });

  it("leaves out what changes with every login, and updates that change nothing", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const audited = async () => (await app.query("select count(*)::int as count from audit_log")).rows[0]?.count;
      const before = await audited();
      await app.query("update users set last_login_at = now(), failed_login_attempts = failed_login_attempts + 1");
      await app.query("update users set role = role");
      expect(await audited()).toBe(before);
    });
  });

  it("records changes to attempts after their grading, and their deletion", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("update assessment_attempts set metadata = '{\"seen\": true}' where id = $1", [
        seeded.openAttempt,
      ]);
      await app.query("update assessment_attempts set status = 'submitted' where id = $1", [seeded.gradedAttempt]);
      await app.query(
        "update attempt_answers set is_correct = true, points_awarded = 1 where attempt_id = $1 and points_awarded = 0",
        [seeded.gradedAttempt],
      );
      await app.query("update assessment_attempts set status = 'graded' where id = $1", [seeded.gradedAttempt]);
      await app.query("delete from assessment_attempts where id = $1", [seeded.gradedAttempt]);
      const { rows } = await app.query(
        `select table_name, action, coalesce(new_data ->> 'score', new_data ->> 'points_awarded') as result from audit_log
         where transaction_id = pg_current_xact_id() order by occurred_at`,
      );
      expect(rows).toEqual([
        { table_name: "assessment_attempts", action: "update", result: null },
        { table_name: "attempt_answers", action: "update", result: "1.00" },
        { table_name: "assessment_attempts", action: "delete", result: null },
      ]);
    });
  });

  it("accepts nothing from the app except what the triggers write", async () => {
    for (const statement of [
      "insert into audit_log (table_name, record_id, action, new_data) values ('users', '1', 'insert', '{}')",
      "update audit_log set ip = null",
      "delete from audit_log",
      "truncate audit_log",
    ]) {
      const message = "permission denied for table audit_log";
      expect((await refusal(database.app.query(statement))).message, statement).toBe(message);
      expect((await refusal(database.readonly.query(statement))).message, statement).toBe(message);
    }
  });

  it("is append-only for the owner too, except in declared maintenance", async () => {
    const { app, migrator } = database;
    for (const statement of ["update audit_log set ip = null", "delete from audit_log", "truncate audit_log"]) {
      const verb = statement.split(" ", 1)[0]?.toUpperCase();
      const error = await refusal(migrator.query(statement));
      expect(error.message).toBe(`${verb} on audit_log is not allowed: the table is append-only`);
    }
    await inTransaction(migrator, "rollback", async () => {
      await migrator.query("set local app.maintenance = 'on'");
      expect((await migrator.query("delete from audit_log")).rowCount).toBeGreaterThan(0);
    });
    await inTransaction(app, "rollback", async () => {
      await app.query("set local app.maintenance = 'on'");
      expect((await refusal(app.query("delete from audit_log"))).message).toBe("permission denied for table audit_log");
    });
  });

  it("gives the app no owner's rights if the app declares maintenance", async () => {
    const { app } = database;
    const attempt = inTransaction(app, "rollback", async () => {
      await app.query("set local app.maintenance = 'on'");
      await app.query("insert into assessment_attempts (user_id, assessment_id, status) values ($1, $2, 'abandoned')", [
        seeded.newcomer,
        seeded.quiz,
      ]);
    });
    expect(await refusal(attempt)).toMatchObject({ constraint: "assessment_attempts_begin" });
  });
});

describe("erasing a learner", () => {
  it("takes one delete, which removes all of the learner's rows and no others", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const theirs = `select
        (select count(*)::int from sessions where user_id = $1) as sessions,
        (select count(*)::int from assessment_attempts where user_id = $1) as attempts,
        (select count(*)::int from conversations where user_id = $1) as conversations`;
      const before = (await app.query(theirs, [seeded.leo])).rows;
      await app.query("delete from users where id = $1", [seeded.lena]);
      await app.query("set constraints all immediate");
      expect((await app.query(theirs, [seeded.lena])).rows).toEqual([{ sessions: 0, attempts: 0, conversations: 0 }]);
      expect((await app.query(theirs, [seeded.leo])).rows).toEqual(before);
    });
  });

  it("keeps an author's content, without the name", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("delete from users where id = $1", [seeded.instructor]);
      const { rows } = await app.query("select author_id from courses where id = $1", [seeded.course]);
      expect(rows).toEqual([{ author_id: null }]);
    });
  });
});
