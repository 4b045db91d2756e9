import type { DatabaseQueries } from "../named-queries.ts";

const busiestLearner = "select user_id from assessment_attempts group by 1 order by count(*) desc, 1 limit 1";
const busiestAssessment = "select assessment_id from assessment_attempts group by 1 order by count(*) desc, 1 limit 1";
const someQuestion = `select question_id from attempt_answers where assessment_id = (${busiestAssessment}) order by 1 limit 1`;

/** Slower queries cause a warning to the learning assistant's operators. */
const withinMs = 1000;

/** The most frequent queries of the learning assistant. */
export const queries: DatabaseQueries = {
  "user lookup": {
    withinMs,
    queries: [
      {
        name: "login by email",
        sql: `select id, password_hash, status, failed_login_attempts, locked_until from users where email = $1 and deleted_at is null`,
        parameters: `select email from users where id = (${busiestLearner})`,
        uses: ["users_email_key"],
      },
      {
        name: "session by its token",
        sql: `select users.* from login_sessions join users on users.id = user_id
          where token_hash = $1 and revoked_at is null and expires_at > timestamptz '2025-12-31Z'`,
        parameters: `select token_hash from login_sessions where revoked_at is null and expires_at > timestamptz '2025-12-31Z' order by 1 limit 1`,
        uses: ["login_sessions_token_hash_key", "users_pkey"],
      },
      {
        name: "by part of name or email",
        sql: `select id, email, display_name, role, status from users
          where (email ilike $1 or display_name ilike $1) and deleted_at is null order by display_name limit 20`,
        parameters: `select '%' || split_part(display_name, ' ', 2) || '%' from users where id = (${busiestLearner})`,
        uses: ["users_email_trgm_idx", "users_display_name_trgm_idx"],
        fromRows: 200_000,
      },
    ],
  },
  "asset search": {
    withinMs,
    queries: [
      { name: "content, frequent words", sql: "select * from search_content('fraction proof', 'en', 20)", uses: [] },
      { name: "content, one word", sql: "select * from search_content('theatre', 'en', 20)", uses: [] },
      {
        name: "course by a title typed wrong",
        sql: `select id, title, similarity(title, $1) as likeness from courses
          where title % $1 and status = 'published' and deleted_at is null order by likeness desc limit 10`,
        parameters: "select replace(title, 'e', 'i') from courses where status = 'published' order by slug limit 1",
        uses: ["courses_title_trgm_idx"],
        fromRows: 1_000_000,
      },
      {
        name: "question bank by topic and difficulty",
        sql: `select id, prompt from questions
          where topic_id = $1 and kind = 'single_choice' and difficulty between 0.4 and 0.6 and status = 'published'
          order by difficulty limit 20`,
        parameters: `select topic_id from questions where id = (${someQuestion})`,
        uses: ["questions_topic_idx"],
      },
    ],
  },
  "admin dashboard": {
    withinMs,
    queries: [
      {
        name: "a learner's own dashboard",
        sql: "select * from learner_dashboard($1, timestamptz '2025-12-31Z')",
        parameters: busiestLearner,
        uses: [],
      },
      {
        name: "newest users of a role",
        sql: `select id, email, display_name, status, created_at from users
          where role = 'learner' and status = 'active' and deleted_at is null order by created_at desc limit 50`,
        uses: ["users_role_created_idx"],
      },
      {
        name: "locked accounts",
        sql: "select id, email, locked_until from users where locked_until > timestamptz '2025-12-31Z' order by locked_until limit 50",
        uses: ["users_locked_idx"],
      },
      {
        name: "answers that wait for a grade",
        sql: `select attempt_id, question_id, answered_at from attempt_answers
          where points_awarded is null and max_points > 0 and text_answer is not null order by answered_at limit 50`,
        uses: ["attempt_answers_ungraded_idx"],
      },
      {
        name: "active on one day",
        sql: `select count(*), count(distinct user_id), sum(active_seconds) from sessions
          where started_at >= timestamptz '2025-12-29Z' and started_at < timestamptz '2025-12-30Z'`,
        uses: ["sessions_started_idx"],
      },
      {
        name: "overview of a course",
        sql: "select * from course_overview where course_id = $1",
        parameters: "select course_id from enrolments group by 1 order by count(*) desc, 1 limit 1",
        uses: ["courses_pkey", "enrolments_course_idx", "lessons_course_id_position_key"],
      },
      {
        name: "20 newest courses",
        sql: "select * from course_overview order by published_at desc limit 20",
        uses: ["courses_newest_idx", "enrolments_course_idx"],
      },
      {
        name: "notifications that are due",
        sql: `select id from notifications
          where sent_at is null and failure is null and scheduled_for <= timestamptz '2025-12-31Z' order by scheduled_for limit 100`,
        uses: ["notifications_due_idx"],
      },
      {
        name: "attempts out of time",
        sql: `select id from assessment_attempts
          where status = 'in_progress' and expires_at < timestamptz '2025-12-31Z' order by expires_at limit 100`,
        uses: ["assessment_attempts_expiring_idx"],
      },
    ],
  },
  "transaction history": {
    withinMs,
    queries: [
      {
        name: "a learner's attempts, newest 50",
        sql: `select attempts.id, title, attempts.status, percentage, passed, started_at
          from assessment_attempts as attempts join assessments on assessments.id = assessment_id
          where user_id = $1 order by started_at desc limit 50`,
        parameters: busiestLearner,
        uses: ["assessment_attempts_user_idx"],
      },
      {
        name: "the next page of them",
        sql: `select id, status, percentage, started_at from assessment_attempts
          where user_id = $1 and started_at < timestamptz '2025-06-01Z' order by started_at desc limit 50`,
        parameters: busiestLearner,
        uses: ["assessment_attempts_user_idx"],
      },
      {
        name: "a learner's sessions, newest 50",
        sql: "select id, kind, started_at, active_seconds from sessions where user_id = $1 order by started_at desc limit 50",
        parameters: busiestLearner,
        uses: ["sessions_user_idx"],
      },
      {
        name: "answers of one attempt",
        sql: `select prompt, attempt_answers.* from attempt_answers join questions on questions.id = question_id where attempt_id = $1`,
        parameters: `select id from assessment_attempts where user_id = (${busiestLearner}) and status = 'graded' order by started_at desc limit 1`,
        uses: ["attempt_answers_pkey"],
      },
      {
        name: "a conversation",
        sql: "select * from messages where conversation_id = $1 order by position",
        parameters: "select conversation_id from messages order by 1 limit 1",
        uses: ["messages_conversation_id_position_key"],
      },
      {
        name: "audit of one record",
        sql: "select * from audit_log where table_name = 'users' and record_id = $1 order by occurred_at desc limit 50",
        parameters:
          "select record_id from audit_log where table_name = 'users' group by 1 order by count(*) desc, 1 limit 1",
        uses: ["audit_log_record_idx"],
      },
      {
        name: "recommendations to show",
        sql: `select * from recommendations where user_id = $1 and status in ('new', 'shown') order by score desc limit 10`,
        parameters:
          "select user_id from recommendations where status in ('new', 'shown') group by 1 order by count(*) desc, 1 limit 1",
        uses: ["recommendations_one_open_key"],
      },
    ],
  },
  analytics: {
    withinMs,
    queries: [
      {
        name: "a learner's 30 days",
        sql: "select * from learner_activity($1, '2025-12-01', '2025-12-30')",
        parameters: busiestLearner,
        uses: [],
      },
      {
        name: "results of the busiest assessment",
        sql: `select count(*), avg(percentage), count(*) filter (where passed) from assessment_attempts
          where assessment_id = $1 and status = 'graded'`,
        parameters: busiestAssessment,
        uses: ["assessment_attempts_results_idx"],
        indexOnly: ["assessment_attempts_results_idx"],
      },
      {
        name: "its best 20",
        sql: `select user_id, percentage from assessment_attempts where assessment_id = $1 and status = 'graded' order by percentage desc limit 20`,
        parameters: busiestAssessment,
        uses: ["assessment_attempts_results_idx"],
        indexOnly: ["assessment_attempts_results_idx"],
      },
      {
        name: "how a question is answered",
        sql: `select count(*), avg(is_correct::integer), avg(time_spent_ms) from attempt_answers where assessment_id = $1 and question_id = $2`,
        parameters: `select (${busiestAssessment}), (${someQuestion})`,
        uses: ["attempt_answers_question_idx"],
        indexOnly: ["attempt_answers_question_idx"],
      },
      {
        name: "a learner's time by kind of session",
        sql: "select kind, sum(active_seconds) from sessions where user_id = $1 and started_at >= timestamptz '2025-06-01Z' group by 1",
        parameters: busiestLearner,
        uses: ["sessions_user_idx"],
        indexOnly: ["sessions_user_idx"],
      },
      {
        name: "options chosen",
        sql: `select option_id, count(*) from attempt_answer_options
          where question_id = $1 and option_id in (select id from question_options where question_id = $1) group by 1`,
        parameters: `select question_id from attempt_answer_options group by 1 order by count(*) desc, 1 limit 1`,
        uses: ["attempt_answer_options_option_idx"],
        indexOnly: ["attempt_answer_options_option_idx"],
      },
      {
        name: "questions of an assessment, worst first",
        sql: "select * from question_statistics where assessment_id = $1 order by correct_share",
        parameters: busiestAssessment,
        uses: ["question_statistics_key"],
      },
      {
        name: "reviews that are due",
        sql: `select user_id, topic_id, mastery from topic_mastery
          where next_review_at <= timestamptz '2025-12-31Z' order by next_review_at limit 100`,
        uses: ["topic_mastery_review_idx"],
      },
      {
        name: "leaders of a topic",
        sql: "select user_id, mastery from topic_mastery where topic_id = $1 order by mastery desc limit 20",
        parameters: "select topic_id from topic_mastery group by 1 order by count(*) desc, 1 limit 1",
        uses: ["topic_mastery_topic_idx"],
      },
      {
        name: "attempts by day, a month",
        sql: `select date_trunc('day', started_at), count(*), count(*) filter (where passed) from assessment_attempts
          where started_at >= timestamptz '2025-12-01Z' group by 1 order by 1`,
        uses: ["assessment_attempts_started_idx"],
      },
    ],
  },
};
