import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, startMigratedDatabase } from "../migrated-database.ts";
import { seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev", "demo"]);
});
afterAll(() => database?.stop());

describe("the integrity findings", () => {
  it("are empty after all seeds", async () => {
    expect((await database.migrator.query("select * from integrity_findings()")).rows).toEqual([]);
  });

  it.each([
    [
      "the score is not the sum of the answers' points",
      "update assessment_attempts set score = score - 1 where id = $1",
      seeded.gradedAttempt,
    ],
    ["mastery is not counted from the graded answers", "delete from topic_mastery where user_id = $1", seeded.lena],
    [
      "the messages do not count from 1 to the last without gaps",
      "delete from messages where conversation_id = $1 and position = 2",
      seeded.conversation,
    ],
    [
      "the options do not fit a published question of its kind",
      "update question_options set is_correct = false where question_id = $1",
      seeded.singleChoice,
    ],
    [
      "the published assessment asks nothing, or something unfinished, or of another kind",
      "delete from assessment_questions where assessment_id = $1",
      seeded.exam,
    ],
    [
      "the lesson is of another course than the enrolment",
      `update lesson_progress set lesson_id = '${seeded.lesson}' where ctid = (select min(ctid) from lesson_progress where enrolment_id <> $1 and lesson_id in (select id from lessons where course_id = '${seeded.otherCourse}'))`,
      seeded.enrolment,
    ],
    [
      "the attempts do not count from 1 without gaps",
      "update assessment_attempts set attempt_number = 9 where id = $1",
      seeded.gradedAttempt,
    ],
    [
      "the answer came after the attempt's time",
      "update attempt_answers set answered_at = answered_at + interval '1 day' where attempt_id = $1",
      seeded.submittedAttempt,
    ],
    [
      "the answer is to another assessment than its attempt",
      `update attempt_answers set assessment_id = '${seeded.exam}' where attempt_id = $1`,
      seeded.openAttempt,
    ],
    [
      "more than one option is chosen of a single choice",
      "insert into attempt_answer_options select attempt_id, attempt_answer_options.question_id, id from attempt_answer_options join question_options using (question_id) where attempt_id = $1 and id <> option_id",
      seeded.openAttempt,
    ],
  ])("report that %s", async (finding, sql, id) => {
    const { superuser } = database;
    await inTransaction(superuser, "rollback", async () => {
      await superuser.query("set local session_replication_role = replica");
      await superuser.query(sql, [id]);
      const { rows } = await superuser.query("select distinct finding from integrity_findings()");
      expect(rows).toEqual([{ finding }]);
    });
  });
});
