import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { md5Uuid } from "../table-cases.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev"]);
});
afterAll(() => database?.stop());

async function masteryOf(user: string) {
  const { rows } = await database.app.query(
    `select slug, mastery, answered_count as answered, correct_count as correct
     from topic_mastery join topics on topics.id = topic_id where user_id = $1 order by slug`,
    [user],
  );
  return rows;
}

const learned = [
  { slug: "arithmetic", mastery: "0.5000", answered: 2, correct: 1 },
  { slug: "fractions", mastery: "0.6000", answered: 8, correct: 5 },
];

describe("mastery", () => {
  it("is computed by topic from graded answers", async () => {
    expect(await masteryOf(seeded.lena)).toEqual(learned);
  });

  it("decreases when a grade is withdrawn, and returns with it", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("update assessment_attempts set status = 'submitted' where id = $1", [seeded.gradedAttempt]);
      expect(await masteryOf(seeded.lena)).toEqual([
        { slug: "arithmetic", mastery: "0.6667", answered: 1, correct: 1 },
        { slug: "fractions", mastery: "0.3333", answered: 4, correct: 1 },
      ]);
      await app.query("update assessment_attempts set status = 'graded' where id = $1", [seeded.gradedAttempt]);
      expect(await masteryOf(seeded.lena)).toEqual(learned);
    });
  });

  it("can be computed again if it was lost, and delays the review of a well-known topic", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("delete from topic_mastery");
      await app.query("select refresh_topic_mastery($1)", [seeded.lena]);
      expect(await masteryOf(seeded.lena)).toEqual(learned);
      const { rows } = await app.query(
        "select distinct (next_review_at - last_answered_at)::text as after from topic_mastery",
      );
      expect(rows).toEqual([{ after: "3 days" }]);
    });
  });
});

describe("the learning style", () => {
  it("is the result of the latest assessment of it", async () => {
    const { rows } = await database.app.query(
      `select learning_style, visual_score, auditory_score, reading_score, kinesthetic_score
       from learning_profiles where style_assessed_at is not null order by user_id`,
    );
    const scores = (visual: string, auditory: string, reading: string, kinesthetic: string) => ({
      visual_score: visual,
      auditory_score: auditory,
      reading_score: reading,
      kinesthetic_score: kinesthetic,
    });
    expect(rows).toEqual([
      { learning_style: "visual", ...scores("0.6250", "0.1250", "0.2500", "0.0000") },
      { learning_style: "kinesthetic", ...scores("0.1250", "0.1250", "0.1250", "0.6250") },
    ]);
  });

  it("is mixed if no share stands out, and creates a missing profile", async () => {
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      const { rows } = await app.query<{ id: string }>(
        "insert into assessment_attempts (user_id, assessment_id) values ($1, $2) returning id",
        [seeded.instructor, seeded.styleAssessment],
      );
      const id = rows[0]?.id;
      for (let n = 1; n <= 8; n++) {
        const question = md5Uuid(`style question:${n}`);
        await app.query("insert into attempt_answers (attempt_id, question_id) values ($1, $2)", [id, question]);
        await app.query("insert into attempt_answer_options (attempt_id, question_id, option_id) values ($1, $2, $3)", [
          id,
          question,
          md5Uuid(`style option:${n}:${1 + (n % 4)}`),
        ]);
      }
      for (const status of ["submitted", "graded"])
        await app.query("update assessment_attempts set status = $2 where id = $1", [id, status]);
      const { rows: profiles } = await app.query("select learning_style from learning_profiles where user_id = $1", [
        seeded.instructor,
      ]);
      expect(profiles).toEqual([{ learning_style: "mixed" }]);
    });
  });
});

describe("a learner's time zone", () => {
  it("must be known to the server", async () => {
    const error = await refusal(
      database.app.query("update users set time_zone = 'Mars/Olympus' where id = $1", [seeded.lena]),
    );
    expect(error).toMatchObject({ code: "23514", constraint: "users_time_zone_known" });
    expect(error.message).toBe("user learner1@example.com: time zone Mars/Olympus is not known");
  });
});
