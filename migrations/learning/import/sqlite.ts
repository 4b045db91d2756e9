import { type ColumnMap, importMap } from "pgroundwork";

/*
 * The learning assistant's SQLite store. Its integers become UUIDs, cents become points, and the numbers of
 * milliseconds become times. Open logins are not imported: people log in again. Recommendations are made again every
 * day.
 */

const key = (of: string, from: string): ColumnMap => ({ from, key: of });
const legacyId: ColumnMap = { from: "id", as: { kind: "text" } };
const milliseconds = (from: string): ColumnMap => ({ from, as: { kind: "timestamp", unit: "milliseconds" } });
const points = (from: string): ColumnMap => ({ from, as: { kind: "scaled", digits: -2 } });
const chosen = (from: string, values: Record<string, string>): ColumnMap => ({ from, as: { kind: "values", values } });
const levels = { "1": "beginner", "2": "intermediate", "3": "advanced" };
const states = { draft: "draft", live: "published", old: "archived" };

export default importMap({
  // Attempts and their answers have to agree at the end of the transaction.
  atomic: true,
  session: { "app.maintenance": "on" },
  mask: ["pw_hash", "email", "full_name", "text"],
  audit: {
    table: "audit_log",
    values: { table_name: "import", record_id: "$run", action: "insert", new_data: "$summary" },
  },
  tables: [
    {
      to: "users",
      from: "users",
      columns: {
        id: key("user", "id"),
        legacy_id: legacyId,
        email: { from: "email", as: { kind: "text", trim: true, case: "lower" } },
        display_name: "full_name",
        role: chosen("role", { student: "learner", teacher: "instructor", admin: "admin" }),
        status: chosen("state", { new: "invited", ok: "active", blocked: "suspended", gone: "closed" }),
        password_hash: "pw_hash",
        locale: "lang",
        time_zone: { from: "tz", whenNull: "UTC" },
        created_at: { from: "created", as: { kind: "timestamp", unit: "seconds" } },
        last_login_at: milliseconds("last_seen"),
        deleted_at: "deleted",
      },
    },
    {
      to: "learning_profiles",
      from: "profiles",
      columns: {
        user_id: key("user", "user_id"),
        level: chosen("level", levels),
        daily_goal_minutes: "daily_minutes",
        reminder_time: "reminder",
        interests: { from: "interests", as: { kind: "list" } },
        preferences: { from: "prefs", as: { kind: "json" } },
      },
    },
    {
      to: "topics",
      from: "topics",
      columns: {
        id: key("topic", "id"),
        parent_id: key("topic", "parent"),
        slug: "slug",
        name: "title",
        position: "pos",
      },
    },
    {
      to: "courses",
      from: "courses",
      columns: {
        id: key("course", "id"),
        legacy_id: legacyId,
        slug: "slug",
        topic_id: key("topic", "topic_id"),
        author_id: key("user", "author_id"),
        title: "title",
        summary: "summary",
        level: chosen("level", levels),
        language: "lang",
        tags: { from: "tags", as: { kind: "list", separator: "," }, whenNull: [] },
        estimated_minutes: "minutes",
        status: chosen("state", states),
        published_at: "published",
      },
    },
    {
      to: "lessons",
      from: "lessons",
      columns: {
        id: key("lesson", "id"),
        legacy_id: legacyId,
        course_id: key("course", "course_id"),
        topic_id: key("topic", "topic_id"),
        slug: "slug",
        position: "pos",
        title: "title",
        kind: chosen("type", { text: "reading", video: "video", task: "exercise" }),
        body: { from: "body", whenNull: "" },
        media_url: "media",
        estimated_minutes: "minutes",
        is_required: "required",
        status: chosen("state", states),
      },
    },
    {
      to: "assessments",
      from: "assessments",
      columns: {
        id: key("assessment", "id"),
        legacy_id: legacyId,
        course_id: key("course", "course_id"),
        kind: "type",
        title: "title",
        pass_percentage: "pass_mark",
        time_limit_minutes: "minutes",
        max_attempts: "tries",
        status: chosen("state", states),
        published_at: "published",
      },
    },
    {
      to: "questions",
      from: "questions",
      columns: {
        id: key("question", "id"),
        legacy_id: legacyId,
        topic_id: key("topic", "topic_id"),
        kind: chosen("type", {
          single: "single_choice",
          multi: "multiple_choice",
          bool: "true_false",
          number: "numeric",
        }),
        prompt: "prompt",
        difficulty: "difficulty",
        numeric_answer: "answer",
        status: chosen("state", { draft: "draft", live: "published", old: "retired" }),
      },
    },
    {
      to: "question_options",
      from: "choices",
      columns: {
        id: key("choice", "id"),
        question_id: key("question", "question_id"),
        position: "pos",
        content: "text",
        is_correct: "correct",
      },
    },
    {
      to: "assessment_questions",
      from: "assessment_items",
      columns: {
        assessment_id: key("assessment", "assessment_id"),
        question_id: key("question", "question_id"),
        position: "pos",
        points: points("points_cents"),
      },
    },
    {
      to: "enrolments",
      from: "enrollments",
      columns: {
        id: key("enrolment", "id"),
        user_id: key("user", "user_id"),
        course_id: key("course", "course_id"),
        status: chosen("state", { active: "active", done: "completed", left: "withdrawn" }),
        progress_percentage: "percent",
        enrolled_at: milliseconds("started"),
        completed_at: milliseconds("finished"),
        withdrawn_at: milliseconds("left_at"),
      },
    },
    {
      to: "lesson_progress",
      from: "progress",
      columns: {
        enrolment_id: key("enrolment", "enrollment_id"),
        lesson_id: key("lesson", "lesson_id"),
        status: chosen("done", { "0": "in_progress", "1": "completed" }),
        percentage: "percent",
        time_spent_seconds: "seconds",
        opened_at: milliseconds("opened"),
        last_opened_at: milliseconds("last"),
        completed_at: milliseconds("finished"),
      },
    },
    {
      to: "sessions",
      from: "study_sessions",
      columns: {
        id: key("session", "id"),
        legacy_id: legacyId,
        user_id: key("user", "user_id"),
        course_id: key("course", "course_id"),
        lesson_id: key("lesson", "lesson_id"),
        device: chosen("device", { browser: "web", iphone: "ios", android: "android" }),
        started_at: milliseconds("started"),
        last_active_at: milliseconds("last"),
        ended_at: milliseconds("ended"),
        end_reason: "reason",
        active_seconds: "active_s",
        focus_score: "focus",
      },
    },
    {
      to: "assessment_attempts",
      from: "attempts",
      columns: {
        id: key("attempt", "id"),
        legacy_id: legacyId,
        user_id: key("user", "user_id"),
        assessment_id: key("assessment", "assessment_id"),
        session_id: key("session", "session_id"),
        attempt_number: "n",
        status: chosen("state", { open: "in_progress", sent: "submitted", graded: "graded", dropped: "abandoned" }),
        score: points("score_cents"),
        max_score: points("max_cents"),
        passed: "passed",
        started_at: milliseconds("started"),
        submitted_at: milliseconds("submitted"),
        graded_at: milliseconds("graded"),
      },
    },
    {
      to: "attempt_answers",
      from: "answers",
      // The target finds assessment and points by triggers; they are compared with what the store says.
      query: `select a.*, t.assessment_id, i.points_cents as max_cents from answers a
        left join attempts t on t.id = a.attempt_id
        left join assessment_items i on i.assessment_id = t.assessment_id and i.question_id = a.question_id
        order by a.rowid`,
      columns: {
        attempt_id: key("attempt", "attempt_id"),
        question_id: key("question", "question_id"),
        assessment_id: { from: "assessment_id", key: "assessment", computed: true },
        max_points: { from: "max_cents", as: { kind: "scaled", digits: -2 }, computed: true },
        numeric_answer: "number",
        is_correct: "correct",
        points_awarded: points("points_cents"),
        time_spent_ms: "ms",
        answered_at: milliseconds("at"),
      },
    },
    {
      to: "attempt_answer_options",
      from: "answer_choices",
      columns: {
        attempt_id: key("attempt", "attempt_id"),
        question_id: key("question", "question_id"),
        option_id: key("choice", "choice_id"),
      },
    },
    {
      to: "topic_mastery",
      from: "mastery",
      columns: {
        user_id: key("user", "user_id"),
        topic_id: key("topic", "topic_id"),
        mastery: "value",
        answered_count: "answered",
        correct_count: "correct",
        last_answered_at: milliseconds("last"),
        next_review_at: milliseconds("next"),
      },
    },
    {
      to: "learning_goals",
      from: "goals",
      columns: {
        id: key("goal", "id"),
        user_id: key("user", "user_id"),
        kind: chosen("kind", { minutes: "weekly_minutes", course: "course_completion" }),
        course_id: key("course", "course_id"),
        target_value: "target",
        status: "state",
        starts_on: "start",
        due_on: "due",
      },
    },
    {
      to: "achievements",
      from: "badges",
      columns: {
        id: key("badge", "code"),
        code: "code",
        name: "title",
        description: "descr",
        category: "cat",
        points: "points",
        criteria: { from: "rule", as: { kind: "json" } },
      },
    },
    {
      to: "user_achievements",
      from: "user_badges",
      columns: {
        user_id: key("user", "user_id"),
        achievement_id: key("badge", "code"),
        awarded_at: milliseconds("at"),
      },
    },
    {
      to: "notifications",
      from: "notices",
      columns: {
        id: key("notice", "id"),
        user_id: key("user", "user_id"),
        kind: "kind",
        channel: chosen("channel", { app: "in_app", mail: "email", push: "push" }),
        title: "title",
        data: { from: "data", as: { kind: "json" } },
        scheduled_for: milliseconds("due"),
        sent_at: milliseconds("sent"),
        read_at: milliseconds("seen"),
      },
    },
    {
      to: "conversations",
      from: "chats",
      query: `select c.*, count(m.id) as messages, max(m.at) as last_at from chats c
        left join chat_messages m on m.chat_id = c.id group by c.id order by c.id`,
      columns: {
        id: key("chat", "id"),
        user_id: key("user", "user_id"),
        course_id: key("course", "course_id"),
        title: "title",
        status: chosen("state", { open: "open", closed: "archived" }),
        last_position: { from: "messages", computed: true },
        last_message_at: { from: "last_at", as: { kind: "timestamp", unit: "milliseconds" }, computed: true },
        created_at: milliseconds("created"),
      },
    },
    {
      to: "messages",
      from: "chat_messages",
      orderBy: ["conversation_id", "position"],
      columns: {
        id: key("message", "id"),
        conversation_id: key("chat", "chat_id"),
        position: { from: "pos", computed: true },
        role: chosen("who", { user: "learner", bot: "assistant", sys: "system" }),
        content: "text",
        model: "model",
        input_tokens: "tokens_in",
        output_tokens: "tokens_out",
        latency_ms: "ms",
        rating: "thumb",
        created_at: milliseconds("at"),
      },
    },
  ],
});
