import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { md5Uuid, numbered } from "../table-cases.ts";
import { seeded } from "./cases/seeded.ts";

const completed = numbered("30000000", 1);
const withdrawn = numbered("30000000", 4);
let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev"]);
});
afterAll(() => database?.stop());

const lessonOf = (course: string, slug: string) => md5Uuid(`lesson:${course}:${slug}`);

/** Starts or completes a lesson. */
const reach = (enrolment: string, lesson: string, status = "completed") =>
  database.app.query(
    `insert into lesson_progress (enrolment_id, lesson_id, status, percentage, completed_at)
     values ($1, $2, $3, case $3 when 'completed' then 100 else 10 end, case $3 when 'completed' then now() end)
     on conflict (enrolment_id, lesson_id) do update
       set status = excluded.status, percentage = excluded.percentage, completed_at = excluded.completed_at`,
    [enrolment, lesson, status],
  );

async function enrolment(id: string) {
  const { rows } = await database.app.query(
    "select status, progress_percentage as progress, completed_at = now() as now from enrolments where id = $1",
    [id],
  );
  return rows[0];
}

describe("an enrolment", () => {
  it("progresses with each required lesson, also backwards, and completes with the last", async () => {
    await inTransaction(database.app, "rollback", async () => {
      expect(await enrolment(seeded.enrolment)).toEqual({ status: "active", progress: "20.00", now: null });
      const of = (slug: string) => lessonOf("fractions-from-the-start", slug);
      await reach(seeded.enrolment, of("same-value-other-name"));
      await reach(seeded.enrolment, of("history-of-fractions"));
      expect(await enrolment(seeded.enrolment)).toMatchObject({ progress: "40.00" });
      await reach(seeded.enrolment, of("same-value-other-name"), "in_progress");
      expect(await enrolment(seeded.enrolment)).toMatchObject({ progress: "20.00" });
      for (const slug of ["same-value-other-name", "adding", "multiplying", "practice"])
        await reach(seeded.enrolment, of(slug));
      expect(await enrolment(seeded.enrolment)).toEqual({ status: "completed", progress: "100.00", now: true });
    });
  });

  it("stays completed when a lesson is repeated", async () => {
    await inTransaction(database.app, "rollback", async () => {
      await reach(completed, lessonOf("fractions-from-the-start", "adding"), "in_progress");
      expect(await enrolment(completed)).toMatchObject({ status: "completed", progress: "100.00" });
    });
  });

  it("accepts no lessons of another course, and none after its withdrawal", async () => {
    const foreign = lessonOf("python-first-steps", "hello");
    expect((await refusal(reach(seeded.enrolment, foreign))).message).toBe(
      `lesson ${foreign} is not of course ${seeded.course}, which the enrolment is for`,
    );
    const error = await refusal(reach(withdrawn, foreign));
    expect(error.message).toBe(`enrolment ${withdrawn} is withdrawn and makes no progress`);
    expect(error.hint).toBe("Enrol again.");
  });

  it("keeps its lesson progress: no row is deleted or moved to another enrolment", async () => {
    const { app } = database;
    expect((await refusal(app.query("delete from lesson_progress"))).message).toBe(
      "permission denied for table lesson_progress",
    );
    for (const [column, value] of [
      ["lesson_id", lessonOf("python-first-steps", "hello")],
      ["enrolment_id", completed],
    ]) {
      const moved = app.query(`update lesson_progress set ${column} = $2 where enrolment_id = $1`, [
        seeded.enrolment,
        value,
      ]);
      expect((await refusal(moved)).message).toBe(`${column} of lesson_progress never changes`);
    }
  });

  it("ends once, and keeps its learner and course", async () => {
    const { app } = database;
    const again = app.query("update enrolments set status = 'active', withdrawn_at = null where id = $1", [withdrawn]);
    expect((await refusal(again)).message).toBe(`enrolment ${withdrawn}: status cannot go from withdrawn to active`);
    const moved = app.query("update enrolments set user_id = $2 where id = $1", [seeded.enrolment, seeded.newcomer]);
    expect((await refusal(moved)).message).toBe(`enrolment ${seeded.enrolment}: learner and course never change`);
  });

  it("is limited to one at a time per course, and can follow a withdrawn one", async () => {
    const enrol = "insert into enrolments (user_id, course_id) values ($1, $2)";
    await inTransaction(database.app, "rollback", async () => {
      await database.app.query(enrol, [seeded.leo, seeded.otherCourse]);
      expect(await refusal(database.app.query(enrol, [seeded.leo, seeded.otherCourse]))).toMatchObject({
        code: "23505",
        constraint: "enrolments_one_current_key",
      });
    });
  });

  it("counts correctly when two devices complete lessons at once", async () => {
    const other = await database.connect(database.server.as("app", "learning"));
    const complete = `insert into lesson_progress (enrolment_id, lesson_id, status, percentage, completed_at)
      values ($1, $2, 'completed', 100, now())`;
    await Promise.all(
      ["adding", "multiplying"].map((slug, index) =>
        [database.app, other][index]?.query(complete, [seeded.enrolment, lessonOf("fractions-from-the-start", slug)]),
      ),
    );
    expect(await enrolment(seeded.enrolment)).toMatchObject({ progress: "60.00" });
  });
});

describe("a learning session", () => {
  it("is limited to one at a time per learner", async () => {
    expect(
      await refusal(database.app.query("insert into sessions (user_id) values ($1)", [seeded.lena])),
    ).toMatchObject({
      code: "23505",
      constraint: "sessions_one_open_key",
    });
  });

  it("has its duration once it ends", async () => {
    await inTransaction(database.app, "rollback", async () => {
      const { rows } = await database.app.query(
        `update sessions set ended_at = started_at + interval '20 minutes', end_reason = 'finished'
         where user_id = $1 and ended_at is null returning duration_seconds`,
        [seeded.lena],
      );
      expect(rows).toEqual([{ duration_seconds: 1200 }]);
    });
  });
});
