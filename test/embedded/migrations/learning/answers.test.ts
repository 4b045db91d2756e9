import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { md5Uuid } from "../table-cases.ts";
import { beginAttempt, giveAnswer, moveAttempt } from "./attempt-steps.ts";
import { option, seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;
let app: Client;

beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev"]);
  app = database.app;
});
afterAll(() => database?.stop());

/** Single-choice questions of the exam. */
const printing = md5Uuid("question:python-print");
const looping = md5Uuid("question:python-loop");

describe("answers", () => {
  it("are accepted while the attempt is in progress, and graded until the attempt is graded", async () => {
    const again = "update attempt_answers set text_answer = 'numerator' where attempt_id = $1 and question_id = $2";
    expect((await refusal(app.query(again, [seeded.gradedAttempt, seeded.shortText]))).message).toBe(
      `attempt ${seeded.gradedAttempt} is graded and takes no answers`,
    );
    const grade = `update attempt_answers set is_correct = true, points_awarded = 1 where attempt_id = $1 and question_id = $2`;
    expect((await refusal(app.query(grade, [seeded.gradedAttempt, seeded.shortText]))).message).toBe(
      `attempt ${seeded.gradedAttempt} is graded and its grades stay`,
    );
    const late = giveAnswer(app, seeded.submittedAttempt, seeded.essay);
    expect(await refusal(late)).toMatchObject({ code: "23505", constraint: "attempt_answers_pkey" });
    await inTransaction(app, "rollback", async () => {
      expect((await app.query(grade, [seeded.submittedAttempt, seeded.essay])).rowCount).toBe(1);
      await moveAttempt(app, seeded.submittedAttempt, "graded");
    });
  });

  it("belong to questions of the attempt's own assessment", async () => {
    expect(await refusal(giveAnswer(app, seeded.openAttempt, seeded.essay))).toMatchObject({
      code: "23503",
      constraint: "attempt_answers_assessment_id_question_id_fkey",
    });
  });

  it("have the form that the question requires", async () => {
    expect((await refusal(giveAnswer(app, seeded.openAttempt, seeded.trueFalse, { text: "false" }))).message).toBe(
      `question ${seeded.trueFalse} is true_false and takes no text answer`,
    );
    expect((await refusal(giveAnswer(app, seeded.openAttempt, seeded.shortText, { number: 1 }))).message).toBe(
      `question ${seeded.shortText} is short_text and takes no numeric answer`,
    );
  });

  it("to a single choice are one option, even if two are chosen at once", async () => {
    const choose = "insert into attempt_answer_options (attempt_id, question_id, option_id) values ($1, $2, $3)";
    const chosen = [seeded.openAttempt, seeded.singleChoice, option("fractions-half", 1)];
    expect((await refusal(app.query(choose, chosen))).message).toBe(`question ${seeded.singleChoice} takes one option`);

    await app.query("delete from attempt_answer_options where attempt_id = $1", [seeded.openAttempt]);
    const other = await database.connect(database.server.as("app", "learning"));
    const races = [app, other].map((client, index) =>
      inTransaction(client, "commit", async () => {
        await client.query(choose, [...chosen.slice(0, 2), option("fractions-half", index + 1)]);
      }),
    );
    const results = await Promise.allSettled(races);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("are refused after the attempt's time is up", async () => {
    await inTransaction(app, "rollback", async () => {
      const id = await beginAttempt(app, seeded.exam);
      const { rows } = await app.query(
        `select expires_at::text as up, (expires_at + interval '1 second')::text as late from assessment_attempts where id = $1`,
        [id],
      );
      const { up, late } = rows[0];
      await giveAnswer(app, id, seeded.essay, { text: "At the last moment.", at: up });
      const error = await refusal(giveAnswer(app, id, printing, { at: late }));
      expect(error.message).toBe(`attempt ${id}: its time was up at ${up}, an answer of ${late} is too late`);
      expect(error.constraint).toBe("attempt_answers_in_time");
    });
  });

  it.each([
    [
      "another text",
      "update attempt_answers set text_answer = 'Late.' where attempt_id = $1 and text_answer is not null",
    ],
    [
      "a choice",
      `insert into attempt_answer_options (attempt_id, question_id, option_id) values ($1, '${looping}', '${option("python-loop", 1)}')`,
    ],
    ["no choice", "delete from attempt_answer_options where attempt_id = $1"],
  ])("cannot be changed to %s after the attempt's time is up", async (_, sql) => {
    const change = inTransaction(app, "rollback", async () => {
      const { rows } = await app.query<{ id: string }>(
        `insert into assessment_attempts (user_id, assessment_id, started_at) values ($1, $2, now() - interval '2 hours') returning id`,
        [seeded.newcomer, seeded.exam],
      );
      const id = rows[0]?.id ?? "";
      const { rows: times } = await app.query("select (now() - interval '90 minutes')::text as early");
      const at = times[0].early;
      await giveAnswer(app, id, seeded.essay, { text: "In time.", at });
      for (const question of [printing, looping]) await giveAnswer(app, id, question, { at });
      await app.query(
        "insert into attempt_answer_options (attempt_id, question_id, option_id, created_at) values ($1, $2, $3, $4)",
        [id, printing, option("python-print", 2), at],
      );
      await app.query(sql, [id]);
    });
    expect(await refusal(change)).toMatchObject({ code: "23514", constraint: "attempt_answers_in_time" });
  });

  it("get a new time when they are changed", async () => {
    await inTransaction(app, "rollback", async () => {
      const id = await beginAttempt(app);
      await giveAnswer(app, id, seeded.shortText, { text: "denominator", at: "2030-01-01T00:00:00Z" });
      const { rows } = await app.query(
        "update attempt_answers set text_answer = 'numerator' where attempt_id = $1 returning answered_at = now() as now",
        [id],
      );
      expect(rows).toEqual([{ now: true }]);
    });
  });

  it.each([
    ["attempt_answers", "attempt_id", seeded.gradedAttempt],
    ["attempt_answers", "question_id", seeded.trueFalse],
    ["attempt_answers", "assessment_id", seeded.exam],
    ["attempt_answers", "max_points", "9"],
    ["attempt_answer_options", "attempt_id", seeded.gradedAttempt],
    ["attempt_answer_options", "question_id", seeded.trueFalse],
    ["attempt_answer_options", "option_id", option("fractions-half", 4)],
  ])("never change in %s: %s", async (table, column, value) => {
    const moved = app.query(`update ${table} set ${column} = $2 where attempt_id = $1`, [seeded.openAttempt, value]);
    expect((await refusal(moved)).message).toBe(`${column} of ${table} never changes`);
  });
});
