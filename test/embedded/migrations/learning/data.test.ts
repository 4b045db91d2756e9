import type { Kysely } from "kysely";
import { InvalidValueError, NoActorError, NotFoundError, type Pool, withRequestContext } from "pgroundwork";
import { kyselyOn } from "pgroundwork/kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as attempts from "../../../../migrations/learning/data/attempts.ts";
import * as progress from "../../../../migrations/learning/data/progress.ts";
import type { DB } from "../../../../migrations/learning/types.ts";
import { type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { callWithHostileTexts, poolOf } from "../pool.ts";
import { numbered } from "../table-cases.ts";

const instructor = numbered("20000000", 2);

let database: MigratedDatabase;
let pool: Pool;
let db: Kysely<DB>;
let learner: string;
beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev"]);
  pool = poolOf(database);
  db = kyselyOn<DB>(pool);
  const { rows } = await database.migrator.query(
    "insert into users (email, display_name, role, status, email_verified_at, password_hash) select 'data-test@example.com', display_name, 'learner', status, email_verified_at, password_hash from users where id = $1 returning id",
    [numbered("20000000", 3)],
  );
  learner = rows[0]?.id;
});
afterAll(async () => {
  await pool.end();
  await database.stop();
});

const as = <T>(userId: string, run: () => Promise<T>) => withRequestContext({ userId }, run);

interface Question {
  id: string;
  kind: string;
  options: string[] | null;
  points: string;
}

/** Returns a published assessment with its questions. */
async function assessment(): Promise<{ id: string; questions: Question[] }> {
  const { rows } = await database.superuser.query<{ id: string; questions: Question[] }>(
    `select assessments.id, json_agg(json_build_object('id', questions.id, 'kind', questions.kind, 'points', points::text,
        'options', (select array_agg(question_options.id order by is_correct desc) from question_options where question_id = questions.id))) as questions
     from assessments join assessment_questions on assessment_id = assessments.id join questions on questions.id = question_id
     where assessments.status = 'published' group by assessments.id order by count(*) limit 1`,
  );
  if (rows[0] === undefined) throw new Error("no assessment is published");
  return rows[0];
}

describe("an attempt", () => {
  it("is begun, answered, changed, handed in and graded", async () => {
    const { id, questions } = await assessment();
    const attempt = await as(learner, () => attempts.beginAttempt(db, id));
    expect(attempt).toMatchObject({ user_id: learner, attempt_number: 1, status: "in_progress" });
    const given = ({ kind, options }: Question): attempts.GivenAnswer => {
      if (options !== null) return { options: options.slice(0, 1) };
      return /num/.test(kind) ? { number: "42" } : { text: "An answer" };
    };
    await as(learner, async () => {
      for (const question of questions) {
        await attempts.answerQuestion(pool, attempt.id, question.id, { ...given(question), timeSpentMs: 5 });
        await attempts.answerQuestion(pool, attempt.id, question.id, given(question));
      }
      const choice = questions.find(({ options }) => options !== null);
      const text = attempts.answerQuestion(pool, attempt.id, choice?.id ?? "", { text: "x" });
      await expect(text).rejects.toMatchObject({
        constructor: InvalidValueError,
        constraint: "attempt_answers_form_fits_kind",
      });
      expect(await attempts.submitAttempt(db, attempt.id)).toMatchObject({ status: "submitted" });
    });
    const graded = await as(instructor, async () => {
      for (const { id: question, points } of questions)
        await attempts.gradeAnswer(db, attempt.id, question, { isCorrect: true, points, feedback: "Well done" });
      return attempts.finishGrading(db, attempt.id);
    });
    expect(graded).toMatchObject({ status: "graded", percentage: "100.00", passed: true, graded_by: instructor });
    expect(await attempts.readAttempt(db, attempt.id)).toEqual(graded);
    expect((await attempts.listAttempts(db, learner)).rows).toEqual([graded]);
    await expect((async () => attempts.beginAttempt(db, id))()).rejects.toThrow(NoActorError);
    await callWithHostileTexts((text) => as(learner, () => attempts.beginAttempt(db, text)));
    await callWithHostileTexts((text) => as(learner, () => attempts.answerQuestion(pool, attempt.id, text, { text })));
  });
});

describe("progress", () => {
  it("is recorded once for each lesson, never goes back, and moves the enrolment", () =>
    as(learner, async () => {
      const { rows: lessons } = await database.superuser.query<{ id: string; course_id: string }>(
        "select lessons.id, course_id from lessons join courses on courses.id = course_id where courses.status = 'published' order by course_id, lessons.id",
      );
      const [first] = lessons;
      if (first === undefined) throw new Error("no course is published");
      const enrolment = await progress.enrol(db, first.course_id);
      expect(await progress.enrol(db, first.course_id)).toEqual(enrolment);
      const record = (percentage: string) =>
        progress.recordProgress(db, enrolment.id, first.id, { percentage, seconds: 10 });
      expect(await record("50")).toMatchObject({ status: "in_progress", percentage: "50.00", time_spent_seconds: 10 });
      expect(await record("100")).toMatchObject({ status: "completed", percentage: "100.00", time_spent_seconds: 20 });
      expect(await record("20")).toMatchObject({ status: "completed", percentage: "100.00", time_spent_seconds: 30 });
      await expect(record("101")).rejects.toThrow(InvalidValueError);
      expect(Number((await progress.readEnrolment(db, enrolment.id)).progress_percentage)).toBeGreaterThan(0);
      expect(await progress.learnerDashboard(db, learner)).toMatchObject({ active_courses: expect.any(Number) });
      await expect(progress.readEnrolment(db, learner)).rejects.toThrow(NotFoundError);
    }));
});
