import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeSeeds, usersWithStatus } from "../describe-seeds.ts";
import { inTransaction, type MigratedDatabase, seedFiles, startMigratedDatabase } from "../migrated-database.ts";
import { numbered } from "../table-cases.ts";
import { seeded } from "./cases/seeded.ts";

describeSeeds("learning", {
  figures: {
    reference: {
      topics: 30,
      achievements: 12,
      assessments: 1,
      questions: 8,
      question_options: 32,
      users: 0,
      courses: 0,
      sessions: 0,
    },
    dev: {
      users: 6,
      learning_profiles: 3,
      courses: 3,
      lessons: 11,
      assessments: 4,
      questions: 18,
      enrolments: 4,
      sessions: 38,
      assessment_attempts: 8,
      attempt_answers: 38,
      topic_mastery: 4,
      messages: 4,
    },
    demo: { users: 130, courses: 9, lessons: 59, assessments: 10, questions: 66 },
  },
  // The school's own login has no password hash.
  logins: { ...usersWithStatus, active: "status = 'active' and password_hash is not null" },
});

describe("the learning seeds", () => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase("learning", ["reference", "dev", "demo"]);
  });
  afterAll(() => database?.stop());

  const values = async (sql: string) => {
    const { rows } = await database.migrator.query<{ value: string }>(sql);
    return rows.map(({ value }) => value);
  };

  it("have attempts and enrolments in every status, and questions of every kind, in the dev set", async () => {
    expect(await values("select distinct status as value from assessment_attempts order by 1")).toEqual([
      "abandoned",
      "graded",
      "in_progress",
      "submitted",
    ]);
    expect(await values("select distinct status as value from enrolments order by 1")).toEqual([
      "active",
      "completed",
      "withdrawn",
    ]);
    expect(await values("select distinct kind as value from questions order by 1")).toEqual([
      "essay",
      "multiple_choice",
      "numeric",
      "short_text",
      "single_choice",
      "survey",
      "true_false",
    ]);
  });

  it("have good and bad learners, and three months of learning, in the demo set", async () => {
    const { rows } = await database.migrator.query(`
      select (select count(*) from sessions) > 3000 as sessions,
        (select count(distinct date_trunc('week', started_at)) from sessions) >= 12 as weeks,
        (select count(*) filter (where passed) > 100 and count(*) filter (where not passed) > 50 from assessment_attempts) as results,
        (select max(mastery) > 0.85 and min(mastery) < 0.3 from topic_mastery) as mastery,
        (select count(*) from messages) > 500 as talks`);
    expect(rows).toEqual([{ sessions: true, weeks: true, results: true, mastery: true, talks: true }]);
  });

  it("add nothing after the day on which they were first applied, except planned rows", async () => {
    const { rows } = await database.migrator.query(
      `select (select count(*)::int from sessions where last_active_at > today.created_at) as sessions,
         (select count(*)::int from attempt_answers where answered_at > today.created_at) as answers,
         (select count(*)::int from messages where messages.created_at > today.created_at) as messages,
         (select count(*)::int from notifications where sent_at > today.created_at) as notifications
       from users as today where id = $1`,
      [seeded.admin],
    );
    expect(rows).toEqual([{ sessions: 0, answers: 0, messages: 0, notifications: 0 }]);
  });

  it("keep a developer's changes to learning data, and restore what a login needs", async () => {
    const { migrator } = database;
    await inTransaction(migrator, "rollback", async () => {
      await migrator.query(
        "update users set locked_until = now() + interval '1 day', failed_login_attempts = 5 where id = $1",
        [seeded.lena],
      );
      await migrator.query("update courses set title = 'Mine' where id = $1", [seeded.course]);
      await migrator.query("update assessment_attempts set status = 'abandoned' where id = $1", [seeded.openAttempt]);
      for (const path of await seedFiles("learning", "dev")) await migrator.query(await readFile(path, "utf8"));
      const { rows } = await migrator.query(
        `select locked_until, failed_login_attempts, courses.title, assessment_attempts.status
         from users, courses, assessment_attempts where users.id = $1 and courses.id = $2 and assessment_attempts.id = $3`,
        [seeded.lena, seeded.course, numbered("32000000", 8)],
      );
      expect(rows).toEqual([{ locked_until: null, failed_login_attempts: 0, title: "Mine", status: "abandoned" }]);
    });
  });
});
