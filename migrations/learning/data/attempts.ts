import type { Insertable, Kysely, Selectable } from "kysely";
import { actingUser, found, type Pool, read, write } from "pgroundwork";
import { kyselyTransaction, type PageRequest, pageOf } from "pgroundwork/kysely";
import type { AssessmentAttempts, AttemptAnswers, DB } from "../types.ts";

export type Attempt = Selectable<AssessmentAttempts>;
export type Answer = Selectable<AttemptAnswers>;

/** An answer: a text, a number, or chosen options. */
export interface GivenAnswer {
  text?: string;
  number?: string;
  options?: string[];
  timeSpentMs?: number;
}

/** Begins an attempt as the acting learner. The database numbers it, and sets its time limit. */
export function beginAttempt(db: Kysely<DB>, assessmentId: string): Promise<Attempt> {
  const values = { user_id: actingUser(), assessment_id: assessmentId } as Insertable<AssessmentAttempts>;
  return write(() => db.insertInto("assessment_attempts").values(values).returningAll().executeTakeFirstOrThrow());
}

/** Answers a question, or changes the answer: the answer and its options, in one transaction. */
export function answerQuestion(pool: Pool, attemptId: string, questionId: string, given: GivenAnswer): Promise<Answer> {
  return kyselyTransaction<DB, Answer>(pool, (db) =>
    write(async () => {
      const content = { text_answer: given.text ?? null, numeric_answer: given.number ?? null };
      const values = {
        attempt_id: attemptId,
        question_id: questionId,
        time_spent_ms: given.timeSpentMs ?? 0,
        ...content,
      };
      const answer = await db
        .insertInto("attempt_answers")
        // A trigger fills in the assessment and the points.
        .values(values as Insertable<AttemptAnswers>)
        .onConflict((conflict) => conflict.columns(["attempt_id", "question_id"]).doUpdateSet(content))
        .returningAll()
        .executeTakeFirstOrThrow();
      const key = { attempt_id: attemptId, question_id: questionId };
      const chosen = db.deleteFrom("attempt_answer_options").where("attempt_id", "=", attemptId);
      await chosen.where("question_id", "=", questionId).execute();
      const options = (given.options ?? []).map((option_id) => ({ ...key, option_id }));
      if (options.length > 0) await db.insertInto("attempt_answer_options").values(options).execute();
      return answer;
    }),
  );
}

/** Hands an attempt in. */
export async function submitAttempt(db: Kysely<DB>, id: string): Promise<Attempt> {
  const update = db.updateTable("assessment_attempts").set({ status: "submitted" }).where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "attempt", id);
}

/** Grades an answer of an attempt that was handed in. */
export async function gradeAnswer(
  db: Kysely<DB>,
  attemptId: string,
  questionId: string,
  grade: { isCorrect: boolean; points: string; feedback?: string },
): Promise<Answer> {
  const update = db
    .updateTable("attempt_answers")
    .set({ is_correct: grade.isCorrect, points_awarded: grade.points, feedback: grade.feedback ?? null })
    .where("attempt_id", "=", attemptId)
    .where("question_id", "=", questionId);
  return found(await write(() => update.returningAll().executeTakeFirst()), "answer to question", questionId);
}

/** Closes the grading of an attempt. The database adds up its points. */
export async function finishGrading(db: Kysely<DB>, id: string): Promise<Attempt> {
  const update = db
    .updateTable("assessment_attempts")
    .set({ status: "graded", graded_by: actingUser() })
    .where("id", "=", id);
  return found(await write(() => update.returningAll().executeTakeFirst()), "attempt", id);
}

/** Returns an attempt. */
export async function readAttempt(db: Kysely<DB>, id: string): Promise<Attempt> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "attempt", id);
}

/** Lists the attempts of a learner, the newest first. */
export function listAttempts(db: Kysely<DB>, userId: string, page: PageRequest = {}) {
  return read(() =>
    pageOf(rows(db).where("user_id", "=", userId), { by: "started_at", id: "id", direction: "desc" }, page),
  );
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("assessment_attempts").selectAll();
}
