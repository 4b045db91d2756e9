import { describeSchemaRules } from "../describe-schema-rules.ts";

describeSchemaRules("learning", {
  tables: {
    named: "users learning_profiles sessions assessments",
    content: "topics courses lessons questions question_options assessment_questions",
    takingPart: "enrolments lesson_progress assessment_attempts attempt_answers attempt_answer_options",
    guidance:
      "topic_mastery learning_goals recommendations achievements user_achievements notifications conversations messages",
    access: "login_sessions audit_log",
  },
  indexes: "attempt_answers_ungraded_idx users_email_key courses_search_idx lessons_search_idx",
  appendOnly: "audit_log",
  ownerFunctions:
    "refresh_analytics integrity_findings revoke_from_grantees restrict_to_owner reject_row_change keep_columns audit_row_change",
});
