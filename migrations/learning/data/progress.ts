import type { Kysely, Selectable } from "kysely";
import { actingUser, found, read, write } from "pgroundwork";
import type { DB, Enrolments, LessonProgress } from "../types.ts";

export type Enrolment = Selectable<Enrolments>;
export type Progress = Selectable<LessonProgress>;

/** Enrols the acting learner in a course, or returns the enrolment that exists. */
export function enrol(db: Kysely<DB>, courseId: string): Promise<Enrolment> {
  const userId = actingUser();
  return write(async () => {
    const created = await db
      .insertInto("enrolments")
      .values({ user_id: userId, course_id: courseId })
      .onConflict((conflict) =>
        conflict.columns(["user_id", "course_id"]).where("status", "!=", "withdrawn").doNothing(),
      )
      .returningAll()
      .executeTakeFirst();
    if (created !== undefined) return created;
    const existing = rows(db).where("user_id", "=", userId).where("course_id", "=", courseId);
    return found(await existing.where("status", "!=", "withdrawn").executeTakeFirst(), "enrolment", courseId);
  });
}

/** Records how far a learner is in a lesson. The database moves the enrolment. */
export function recordProgress(
  db: Kysely<DB>,
  enrolmentId: string,
  lessonId: string,
  progress: { percentage: string; seconds: number },
): Promise<Progress> {
  const isDone = Number(progress.percentage) === 100;
  return write(() =>
    db
      .insertInto("lesson_progress")
      .values(({ fn }) => ({
        enrolment_id: enrolmentId,
        lesson_id: lessonId,
        percentage: progress.percentage,
        time_spent_seconds: progress.seconds,
        status: isDone ? ("completed" as const) : ("in_progress" as const),
        completed_at: isDone ? fn<string>("now") : null,
      }))
      .onConflict((conflict) =>
        conflict.columns(["enrolment_id", "lesson_id"]).doUpdateSet(({ eb, fn, ref }) => ({
          // What was completed once stays completed.
          percentage: fn<string>("greatest", ["lesson_progress.percentage", "excluded.percentage"]),
          time_spent_seconds: eb("lesson_progress.time_spent_seconds", "+", ref("excluded.time_spent_seconds")),
          status: eb
            .case()
            .when("lesson_progress.status", "=", "completed")
            .then(eb.val("completed" as const))
            .else(ref("excluded.status"))
            .end(),
          completed_at: fn.coalesce("lesson_progress.completed_at", "excluded.completed_at"),
          last_opened_at: fn<string>("now"),
        })),
      )
      .returningAll()
      .executeTakeFirstOrThrow(),
  );
}

/** Returns an enrolment with its progress. */
export async function readEnrolment(db: Kysely<DB>, id: string): Promise<Enrolment> {
  return found(await read(() => rows(db).where("id", "=", id).executeTakeFirst()), "enrolment", id);
}

/** Reads the numbers of a learner's dashboard. */
export async function learnerDashboard(db: Kysely<DB>, userId: string): Promise<Record<string, unknown>> {
  const query = db.selectNoFrom(({ fn, val, cast }) =>
    fn<Record<string, unknown>>("to_jsonb", [fn("learner_dashboard", [cast(val(userId), "uuid")])]).as("dashboard"),
  );
  return (await read(() => query.executeTakeFirstOrThrow())).dashboard;
}

function rows(db: Kysely<DB>) {
  return db.selectFrom("enrolments").selectAll();
}
