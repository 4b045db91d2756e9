import type { Client, QueryResult } from "pg";
import { seeded } from "./cases/seeded.ts";

/* What an application does with an attempt: begin it, answer, hand it in, grade it. */

export type Status = "in_progress" | "submitted" | "graded" | "abandoned";

export interface Answer {
  /** Of an answer that is graded at once. */
  points?: number;
  text?: string;
  number?: number;
  /** When it was given; now when left out. */
  at?: string;
}

/** @returns the attempt's id. */
export async function beginAttempt(client: Client, assessment = seeded.quiz, user = seeded.newcomer): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    "insert into assessment_attempts (user_id, assessment_id) values ($1, $2) returning id",
    [user, assessment],
  );
  return rows[0]?.id ?? "";
}

export function moveAttempt(client: Client, id: string, status: Status): Promise<QueryResult> {
  return client.query("update assessment_attempts set status = $2 where id = $1", [id, status]);
}

export function giveAnswer(
  client: Client,
  id: string,
  question: string,
  { points, text, number, at }: Answer = {},
): Promise<QueryResult> {
  return client.query(
    `insert into attempt_answers (attempt_id, question_id, text_answer, numeric_answer, points_awarded, is_correct, answered_at)
     values ($1, $2, $3, $4, $5, $5::numeric > 0, coalesce($6, now()))`,
    [id, question, text, number, points, at],
  );
}
