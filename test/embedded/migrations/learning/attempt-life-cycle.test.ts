import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { type Answer, beginAttempt, giveAnswer, moveAttempt, type Status } from "./attempt-steps.ts";
import { seeded } from "./cases/seeded.ts";

const statuses = ["in_progress", "submitted", "graded", "abandoned"] as const;
const allowed: Record<Status, Status[]> = {
  in_progress: ["submitted", "abandoned"],
  submitted: ["graded"],
  graded: ["submitted"],
  abandoned: [],
};
const pairs = statuses.flatMap((from) => statuses.filter((to) => to !== from).map((to) => ({ from, to })));
/** Steps from the beginning of an attempt to a status. */
const steps: Record<Status, Status[]> = {
  in_progress: [],
  submitted: ["submitted"],
  graded: ["submitted", "graded"],
  abandoned: ["abandoned"],
};

let database: MigratedDatabase;
let app: Client;

beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev"]);
  app = database.app;
});
afterAll(() => database?.stop());

const begin = (assessment?: string) => beginAttempt(app, assessment);
const goTo = (id: string, status: Status) => moveAttempt(app, id, status);
const answer = (id: string, question: string, given: Answer) => giveAnswer(app, id, question, given);

/** Runs in a transaction that is rolled back. */
const trying = (use: () => Promise<unknown>) => inTransaction(app, "rollback", use);

describe("an attempt", () => {
  it.each(pairs)("goes from $from to $to only if its life cycle allows it", async ({ from, to }) => {
    const attempt = trying(async () => {
      const id = await begin();
      for (const status of steps[from]) await goTo(id, status);
      await goTo(id, to);
    });
    if (allowed[from].includes(to)) await attempt;
    else
      expect(await refusal(attempt)).toMatchObject({
        code: "23514",
        constraint: "assessment_attempts_status_transition",
      });
  });

  it("starts in progress, numbered from 1, with an end if the assessment has a time limit", async () => {
    await trying(async () => {
      const first = await begin(seeded.exam);
      await goTo(first, "abandoned");
      const second = await begin(seeded.exam);
      const { rows } = await app.query(
        `select attempt_number, expires_at - started_at = interval '60 minutes' as an_hour, status
         from assessment_attempts where id = any ($1) order by 1`,
        [[first, second]],
      );
      expect(rows).toEqual([
        { attempt_number: 1, an_hour: true, status: "abandoned" },
        { attempt_number: 2, an_hour: true, status: "in_progress" },
      ]);
      await goTo(second, "abandoned");
      expect((await refusal(begin(seeded.exam))).message).toBe(`assessment ${seeded.exam} allows 2 attempts`);
    });
  });

  it("cannot start twice at once, for a draft assessment, or as already ended", async () => {
    await trying(async () => {
      await begin();
      expect(await refusal(begin())).toMatchObject({ code: "23505", constraint: "assessment_attempts_one_open_key" });
    });
    expect((await refusal(begin(seeded.draft))).message).toBe(
      `assessment ${seeded.draft} is draft and takes no attempts`,
    );
    const ended = app.query(
      "insert into assessment_attempts (user_id, assessment_id, status) values ($1, $2, 'abandoned')",
      [seeded.newcomer, seeded.quiz],
    );
    expect(await refusal(ended)).toMatchObject({ code: "23514", constraint: "assessment_attempts_begin" });
  });

  it("keeps its learner, assessment, number and start", async () => {
    const moved = app.query("update assessment_attempts set user_id = $2 where id = $1", [
      seeded.openAttempt,
      seeded.newcomer,
    ]);
    expect((await refusal(moved)).message).toBe(
      `attempt ${seeded.openAttempt}: learner, assessment, number and start never change`,
    );
  });

  it("is graded from its answers over all questions asked, including unanswered ones", async () => {
    await trying(async () => {
      const id = await begin();
      await answer(id, seeded.singleChoice, { points: 1 });
      await answer(id, seeded.numeric, { number: 0.75, points: 2 });
      await goTo(id, "submitted");
      await goTo(id, "graded");
      await app.query("set constraints all immediate");
      const { rows } = await app.query(
        "select score, max_score, percentage, passed from assessment_attempts where id = $1",
        [id],
      );
      expect(rows).toEqual([{ score: "3.00", max_score: "7.00", percentage: "42.86", passed: false }]);
    });
  });

  it("is not graded while an answer waits for its grade", async () => {
    const error = await refusal(goTo(seeded.submittedAttempt, "graded"));
    expect(error.message).toBe(`attempt ${seeded.submittedAttempt}: 1 answers are not graded yet`);
  });

  it("has exactly the sum of its answers' points as its score", async () => {
    const forged = inTransaction(app, "commit", () =>
      app.query("update assessment_attempts set score = 7 where id = $1", [seeded.gradedAttempt]),
    );
    expect((await refusal(forged)).message).toBe(
      `attempt ${seeded.gradedAttempt}: score 7.00 differs from the points of its answers 6.00`,
    );
  });
});
