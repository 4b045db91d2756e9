import type { IndexQueries } from "../index-queries.ts";

const someId = "'00000000-0000-4000-8000-000000000001'";

/** Less frequent queries of the learning assistant. Each uses an index that no query of queries.ts uses. */
export const indexQueries: IndexQueries = {
  assessment_attempts_waiting_idx:
    "select * from assessment_attempts where status = 'submitted' and submitted_at <= timestamptz '2025-12-31Z' order by submitted_at limit 100",
  assessments_kind_idx:
    "select * from assessments where status = 'published' and kind = 'quiz' order by published_at desc limit 50",
  attempt_answers_answered_idx:
    "select * from attempt_answers where answered_at <= timestamptz '2025-12-31Z' order by answered_at limit 100",
  audit_log_occurred_brin: "select * from audit_log where occurred_at >= timestamptz '2025-12-31Z'",
  audit_log_user_idx: `select * from audit_log where user_id = ${someId} order by occurred_at desc limit 50`,
  courses_search_idx:
    "select * from courses where status = 'published' and deleted_at is null and search @@ websearch_to_tsquery('english', 'word')",
  courses_tags_idx: "select * from courses where tags @> '{green}'",
  enrolments_course_idx: `select status, progress_percentage from enrolments where course_id = ${someId}`,
  enrolments_due_idx:
    "select * from enrolments where status = 'active' and due_at <= timestamptz '2025-12-31Z' order by due_at limit 100",
  learning_goals_due_idx:
    "select * from learning_goals where status = 'active' and due_on <= date '2025-12-31' order by due_on limit 100",
  learning_profiles_interests_idx: "select * from learning_profiles where interests @> '{music}'",
  lessons_search_idx:
    "select * from lessons where status = 'published' and search @@ websearch_to_tsquery('english', 'word')",
  lessons_title_trgm_idx: "select * from lessons where title ilike '%abc%'",
  login_sessions_live_idx:
    "select * from login_sessions where revoked_at is null and expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  messages_created_brin: "select * from messages where created_at >= timestamptz '2025-12-31Z'",
  messages_rated_idx: "select * from messages where rating = 5 order by created_at desc limit 50",
  question_statistics_question_idx: `select * from question_statistics where question_id = ${someId}`,
  questions_prompt_trgm_idx: "select * from questions where prompt ilike '%abc%'",
  recommendations_expiring_idx:
    "select * from recommendations where status in ('new', 'shown') and expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  sessions_idle_idx:
    "select * from sessions where ended_at is null and last_active_at <= timestamptz '2025-12-31Z' order by last_active_at limit 100",
};
