import type { Client, QueryResult } from "pg";
import { seeded } from "./cases/seeded.ts";

/* Steps that an application takes with an attempt: begin, answer, submit, grade. */

export type Status = "in_progress" | "submitted" | "graded" | "abandoned";

export interface Answer {
  /** Points of an answer that is graded immediately. */
  points?: number;
  text?: string;
  number?: number;
  /** Time of the answer; default: now. */
  at?: string;
}

/**
 * Begins an attempt.
 *
 * @returns its id
 */
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
