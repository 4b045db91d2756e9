import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev"]);
});
afterAll(() => database?.stop());

describe("a learner's dashboard", () => {
  it("sums up the learner's rows", async () => {
    const { rows } = await database.app.query(
      `select active_courses, completed_courses, average_progress, graded_attempts, passed_attempts, average_percentage, topics_practised,
         average_mastery, achievement_points, unread_notifications
       from learner_dashboard($1, (select created_at from users where id = $2))`,
      [seeded.lena, seeded.admin],
    );
    expect(rows).toEqual([
      {
        active_courses: 1,
        completed_courses: 1,
        average_progress: "60.00",
        graded_attempts: 3,
        passed_attempts: 1,
        average_percentage: "57.14",
        topics_practised: 2,
        average_mastery: "0.5500",
        achievement_points: 70,
        unread_notifications: 1,
      },
    ]);
  });

  it("is empty for a new learner", async () => {
    const { rows } = await database.app.query("select * from learner_dashboard($1)", [seeded.newcomer]);
    expect(rows).toMatchObject([{ active_courses: 0, streak_days: 0, last_session_at: null, average_mastery: null }]);
  });
});

describe("a streak", () => {
  it.each([
    { days: [], streak: 0 },
    { days: ["2030-03-10"], streak: 1 },
    { days: ["2030-03-09"], streak: 1 },
    { days: ["2030-03-08"], streak: 0 },
    { days: ["2030-03-10", "2030-03-09", "2030-03-08", "2030-03-06"], streak: 3 },
  ])("is $streak on 10 March after learning on $days", async ({ days, streak }) => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      // In New York, 23:30 is already the next day in UTC. Daylight saving time begins on the 10th.
      await app.query("update users set time_zone = 'America/New_York' where id = $1", [seeded.newcomer]);
      await app.query(
        `insert into sessions (user_id, started_at, last_active_at, ended_at, end_reason, active_seconds)
         select $1, at, at + interval '5 minutes', at + interval '5 minutes', 'finished', 200
         from unnest($2::date[]) as day cross join lateral (select (day + time '23:30') at time zone 'America/New_York' as at) as late`,
        [seeded.newcomer, days],
      );
      const { rows } = await app.query("select learner_streak($1, '2030-03-10 23:45 America/New_York') as streak", [
        seeded.newcomer,
      ]);
      expect(rows).toEqual([{ streak }]);
    });
  });

  it("counts days with at least a minute of activity", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query(
        `insert into sessions (user_id, started_at, last_active_at, ended_at, end_reason, active_seconds)
         values ($1, '2030-03-10Z', '2030-03-10 00:05Z', '2030-03-10 00:05Z', 'idle', 59)`,
        [seeded.newcomer],
      );
      const { rows } = await app.query("select learner_streak($1, '2030-03-10 12:00Z') as streak", [seeded.newcomer]);
      expect(rows).toEqual([{ streak: 0 }]);
    });
  });
});

describe("a learner's activity", () => {
  it("is listed day by day in the learner's time zone, including idle days", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("update users set time_zone = 'Asia/Tokyo' where id = $1", [seeded.newcomer]);
      await app.query(
        `insert into sessions (user_id, started_at, last_active_at, ended_at, end_reason, active_seconds)
         values ($1, '2030-03-10 20:00Z', '2030-03-10 20:30Z', '2030-03-10 20:30Z', 'finished', 900)`,
        [seeded.newcomer],
      );
      const { rows } = await app.query(
        "select day::text, active_minutes as minutes, sessions from learner_activity($1, '2030-03-10', '2030-03-11')",
        [seeded.newcomer],
      );
      expect(rows).toEqual([
        { day: "2030-03-10", minutes: "0", sessions: 0 },
        { day: "2030-03-11", minutes: "15.0", sessions: 1 },
      ]);
    });
  });
});

describe("materialized statistics", () => {
  it("show the state of the latest refresh, which only the owner can run", async () => {
    const { migrator, readonly } = database;
    const read =
      "select attempts, learners, graded, passed, abandoned, pass_rate from assessment_statistics where assessment_id = $1";
    expect((await readonly.query(read, [seeded.quiz])).rows).toEqual([]);
    await migrator.query("select refresh_analytics()");
    expect((await readonly.query(read, [seeded.quiz])).rows).toEqual([
      { attempts: "5", learners: "2", graded: "3", passed: "2", abandoned: "1", pass_rate: "0.6667" },
    ]);
    const { rows } = await readonly.query(
      "select answers, correct_answers, correct_share from question_statistics where question_id = $1",
      [seeded.singleChoice],
    );
    expect(rows).toEqual([{ answers: "3", correct_answers: "2", correct_share: "0.6667" }]);
  });
});

describe("the overview of courses", () => {
  it("counts enrolments and lessons of published courses without a refresh", async () => {
    const { rows } = await database.readonly.query(
      "select title, enrolments, active, completed, withdrawn, average_progress, lessons from course_overview order by title",
    );
    expect(rows).toEqual([
      {
        title: "Fractions from the start",
        enrolments: "2",
        active: "1",
        completed: "1",
        withdrawn: "0",
        average_progress: "60.00",
        lessons: "6",
      },
      {
        title: "Python: first steps",
        enrolments: "2",
        active: "1",
        completed: "0",
        withdrawn: "1",
        average_progress: "30.00",
        lessons: "5",
      },
    ]);
  });
});
