import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { count } from "../contents.ts";
import { describeVolume } from "../describe-volume.ts";
import { inTransaction, type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { runVolume } from "../volume.ts";

// Not a multiple of ten, so that the last attempt is incomplete.
describeVolume("learning", { mainTable: "attempt_answers", rows: 4_003 });

describe("the learning volume data", () => {
  let database: MigratedDatabase;

  beforeAll(async () => {
    database = await startMigratedDatabase("learning", ["reference", "dev"]);
    await runVolume(database.migrator, "learning", 8_000);
  });
  afterAll(() => database?.stop());

  it("has the ratios that its file header names, in addition to the seeds", async () => {
    const { rows } = await database.migrator.query(`
      select (select count(*)::int from users where email ~ '\\.\\d+@') as users,
        (select count(*)::int from courses where slug like 'volume-%') as courses,
        (select count(*)::int from lessons join courses on courses.id = course_id where courses.slug like 'volume-%') as lessons,
        (select count(*)::int from attempt_answers join assessment_attempts on assessment_attempts.id = attempt_id
         where session_id is not null) as answers`);
    expect(rows).toEqual([{ users: 80, courses: 20, lessons: 400, answers: 8_000 }]);
    expect(await count(database.migrator, "assessment_attempts")).toBe(800 + 8);
    expect(await count(database.migrator, "messages")).toBe(400 + 4);
  });

  it("has attempts in every status, and essays that wait for their grade", async () => {
    const { rows } = await database.migrator.query(`
      select array(select distinct status from assessment_attempts where session_id is not null order by 1) as statuses,
        exists (select from attempt_answers where points_awarded is null and text_answer like '%volume%') as waiting`);
    expect(rows).toEqual([{ statuses: ["abandoned", "graded", "in_progress", "submitted"], waiting: true }]);
  });

  it("contains nothing that the triggers would refuse or change", async () => {
    const { migrator } = database;
    expect((await migrator.query("select * from integrity_findings()")).rows).toEqual([]);
    await inTransaction(migrator, "rollback", async () => {
      const read = "select user_id, topic_id, mastery, next_review_at from topic_mastery order by 1, 2";
      const before = (await migrator.query(read)).rows;
      await migrator.query("select refresh_topic_mastery(id) from users");
      expect((await migrator.query(read)).rows).toEqual(before);
    });
  });

  it("works with the triggers: a graded essay lets its attempt be graded", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await app.query<{ attempt_id: string }>(
        `update attempt_answers set is_correct = true, points_awarded = max_points
         where (attempt_id, question_id) = (
           select attempt_id, question_id from attempt_answers where points_awarded is null and text_answer like '%volume%'
             and attempt_id in (select id from assessment_attempts where status = 'submitted') limit 1)
         returning attempt_id`,
      );
      const graded = await app.query(
        "update assessment_attempts set status = 'graded' where id = $1 returning status, score >= 5 as counted",
        [rows[0]?.attempt_id],
      );
      expect(graded.rows).toEqual([{ status: "graded", counted: true }]);
      await app.query("set constraints all immediate");
    });
  });
});
