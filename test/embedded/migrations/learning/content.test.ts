import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inTransaction, type MigratedDatabase, refusal, startMigratedDatabase } from "../migrated-database.ts";
import { md5Uuid } from "../table-cases.ts";
import { option, seeded } from "./cases/seeded.ts";

let database: MigratedDatabase;

beforeAll(async () => {
  database = await startMigratedDatabase("learning", ["reference", "dev"]);
});
afterAll(() => database?.stop());

/** Runs one statement and its deferred constraints, then rolls back. */
function tried(sql: string, values: unknown[] = []): Promise<void> {
  const { app } = database;
  return inTransaction(app, "rollback", async () => {
    await app.query(sql, values);
    await app.query("set constraints all immediate");
  });
}

describe("topics", () => {
  it("never become their own ancestor, at any depth", async () => {
    const mathematics = md5Uuid("topic:mathematics");
    const error = await refusal(
      tried("update topics set parent_id = $2 where id = $1", [mathematics, seeded.otherTopic]),
    );
    expect(error.message).toBe("topic mathematics would be above itself");
  });

  it("never become their own ancestor by two moves at once: the second waits for the first", async () => {
    const { app, superuser } = database;
    const other = await database.connect(database.server.as("app", "learning"));
    const move = (client: Client, slug: string, under: string) =>
      client.query("update topics set parent_id = $2 where id = $1", [
        md5Uuid(`topic:${slug}`),
        md5Uuid(`topic:${under}`),
      ]);
    await app.query("begin");
    await move(app, "science", "history");
    const second = refusal(move(other, "history", "science"));
    const waiting = "select count(*)::int as number from pg_locks where locktype = 'advisory' and not granted";
    await expect.poll(async () => (await superuser.query(waiting)).rows, { timeout: 20_000 }).toEqual([{ number: 1 }]);
    await app.query("commit");
    expect((await second).message).toBe("topic history would be above itself");
  });
});

describe("a published question", () => {
  const fresh = `with question as (
      insert into questions (topic_id, kind, prompt, status) values ($1, $2, 'Test?', 'published') returning id
    )
    insert into question_options (question_id, position, content, is_correct)
    select id, number, 'Choice ' || number, number <= $4 from question cross join generate_series(1, $3::integer) as number`;

  it.each([
    { kind: "single_choice", options: 3, right: 1, fits: true },
    { kind: "single_choice", options: 3, right: 2, fits: false },
    { kind: "single_choice", options: 1, right: 1, fits: false },
    { kind: "multiple_choice", options: 3, right: 2, fits: true },
    { kind: "multiple_choice", options: 3, right: 0, fits: false },
    { kind: "true_false", options: 2, right: 1, fits: true },
    { kind: "true_false", options: 3, right: 1, fits: false },
    { kind: "essay", options: 0, right: 0, fits: true },
    { kind: "essay", options: 2, right: 0, fits: false },
    { kind: "survey", options: 2, right: 0, fits: true },
    { kind: "survey", options: 2, right: 1, fits: false },
  ])("of kind $kind with $options options, $right right, is valid: $fits", async ({ kind, options, right, fits }) => {
    const attempt = tried(fresh, [seeded.topic, kind, options, right]);
    if (fits) await attempt;
    else expect(await refusal(attempt)).toMatchObject({ code: "23514", constraint: "questions_options_fit_kind" });
  });

  it("keeps the option that its kind needs", async () => {
    const error = await refusal(
      tried("update question_options set is_correct = false where id = $1", [option("fractions-half", 2)]),
    );
    expect(error.message).toBe(
      `published question ${seeded.singleChoice}: 4 options (0 right, 0 with a trait) do not make a single_choice question`,
    );
  });
});

describe("an assessment", () => {
  const publish = "update assessments set status = 'published', published_at = now() where id = $1";

  it("is published only with finished questions of its kind", async () => {
    const { app } = database;
    expect((await refusal(tried(publish, [seeded.draft]))).message).toBe(
      `assessment ${seeded.draft} cannot be published: 0 questions, of them 0 drafts and 0 of another kind`,
    );
    const ask = "insert into assessment_questions (assessment_id, question_id, position) values ($1, $2, 1)";
    await inTransaction(app, "rollback", async () => {
      await app.query(ask, [seeded.draft, md5Uuid("style question:1")]);
      expect(
        (await refusal(app.query(`${publish}; set constraints all immediate`.replace("$1", `'${seeded.draft}'`))))
          .message,
      ).toBe(`assessment ${seeded.draft} cannot be published: 1 questions, of them 0 drafts and 1 of another kind`);
    });
    await inTransaction(app, "rollback", async () => {
      await app.query(ask, [seeded.draft, seeded.singleChoice]);
      await app.query(publish, [seeded.draft]);
      await app.query("set constraints all immediate");
    });
  });

  it.each([
    ["points", "update assessment_questions set points = 9 where assessment_id = $1"],
    [
      "number of questions",
      `insert into assessment_questions (assessment_id, question_id, position) values ($1, '${seeded.essay}', 99)`,
    ],
  ])("keeps its %s once an attempt has begun", async (_, sql) => {
    expect((await refusal(tried(sql, [seeded.styleAssessment]))).message).toMatch(
      /^assessment \S+ has attempts: its questions and points stay$/,
    );
  });
});

describe("a search", () => {
  const search = async (words: string) => {
    const { rows } = await database.app.query<{ title: string }>("select title from search_content($1)", [words]);
    return rows.map(({ title }) => title);
  };

  it("finds published courses and lessons by word stems, titles first", async () => {
    expect(await search("loop")).toEqual(["Loops", "Python: first steps"]);
    expect(await search("fraction -egyptian")).toContain("Fractions from the start");
    expect(await search("fraction -egyptian")).not.toContain("Egyptian fractions");
    expect(await search('"common denominator"')).toEqual(["Adding and subtracting"]);
  });

  it("finds no drafts, and no lessons of unpublished courses", async () => {
    expect(await search("dictionaries")).toEqual([]);
    const { app } = database;
    await inTransaction(app, "rollback", async () => {
      await app.query("update courses set status = 'archived' where id = $1", [seeded.otherCourse]);
      const { rows } = await app.query("select from search_content('loop')");
      expect(rows).toEqual([]);
    });
  });
});
