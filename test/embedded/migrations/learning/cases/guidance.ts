import { at, letter, md5Uuid, type TableCases } from "../../table-cases.ts";
import { seeded } from "./seeded.ts";

const said = { role: "assistant", model: "tutor-1" };

export const guidanceCases: TableCases[] = [
  {
    table: "topic_mastery",
    row: (n) => ({
      user_id: seeded.newcomer,
      topic_id: n === 1 ? seeded.topic : seeded.otherTopic,
      mastery: 0.5,
      answered_count: 2,
      correct_count: 1,
      last_answered_at: at(0),
      next_review_at: at(1),
    }),
    rejects: {
      topic_mastery_answered_count_check: { answered_count: 0, correct_count: 0 },
      topic_mastery_correct_count_check: { correct_count: -1 },
      topic_mastery_correct_within_answered: { correct_count: 3 },
      topic_mastery_mastery_check: { mastery: 1 },
      topic_mastery_review_after_answer: { next_review_at: at(0) },
    },
  },
  {
    table: "learning_goals",
    row: () => ({ user_id: seeded.newcomer, kind: "weekly_minutes", target_value: 60, starts_on: "2030-01-02" }),
    rejects: {
      learning_goals_achieved_has_time: { status: "achieved" },
      learning_goals_due_after_start: { due_on: "2030-01-01" },
      learning_goals_kind_check: { kind: "nonsense" },
      learning_goals_status_check: { status: "nonsense" },
      learning_goals_subject_fits_kind: { course_id: seeded.course },
      learning_goals_target_fits_kind: { kind: "topic_mastery", topic_id: seeded.topic, target_value: 101 },
      learning_goals_target_value_check: { target_value: 0 },
    },
    referring: {
      learning_goals_course_id_fkey: { kind: "course_completion" },
      learning_goals_topic_id_fkey: { kind: "topic_mastery" },
    },
  },
  {
    table: "recommendations",
    row: (n) => ({
      user_id: seeded.newcomer,
      topic_id: n === 1 ? seeded.topic : seeded.otherTopic,
      reason: "popular",
      score: 0.5,
      created_at: at(0),
    }),
    rejects: {
      recommendations_expires_after_creation: { expires_at: at(0) },
      recommendations_one_subject: { course_id: seeded.course },
      recommendations_reason_check: { reason: "nonsense" },
      recommendations_responded_after_creation: { status: "accepted", responded_at: at(-1) },
      recommendations_response_has_time: { status: "accepted" },
      recommendations_score_check: { score: 1.1 },
      recommendations_status_check: { status: "nonsense" },
    },
    referring: {
      recommendations_assessment_id_fkey: { topic_id: null },
      recommendations_course_id_fkey: { topic_id: null },
      recommendations_lesson_id_fkey: { topic_id: null },
    },
  },
  {
    table: "achievements",
    row: (n) => ({
      code: `test_${letter(n)}`,
      name: "Test",
      description: "Test",
      category: "course",
      points: 1,
      criteria: "{}",
    }),
    rejects: {
      achievements_category_check: { category: "nonsense" },
      achievements_code_check: { code: "?" },
      achievements_criteria_check: { criteria: "[]" },
      achievements_name_check: { name: "" },
      achievements_points_check: { points: 0 },
    },
  },
  {
    table: "user_achievements",
    row: (n) => ({
      user_id: seeded.newcomer,
      achievement_id: md5Uuid(`achievement:${n === 1 ? "first_session" : "first_pass"}`),
    }),
    rejects: { user_achievements_context_check: { context: "[]" } },
  },
  {
    table: "notifications",
    row: () => ({ user_id: seeded.newcomer, kind: "reminder", title: "Test", sent_at: at(1) }),
    rejects: {
      notifications_channel_check: { channel: "nonsense" },
      notifications_data_check: { data: "[]" },
      notifications_failed_not_sent: { failure: "mailbox unavailable" },
      notifications_failure_check: { failure: "", sent_at: null },
      notifications_kind_check: { kind: "nonsense" },
      notifications_read_after_sending: { read_at: at(0) },
      notifications_read_was_sent: { sent_at: null, read_at: at(0) },
      notifications_title_check: { title: "" },
    },
  },
  {
    table: "conversations",
    row: () => ({ user_id: seeded.newcomer }),
    rejects: {
      conversations_last_position_check: { last_position: -1, last_message_at: at(0) },
      conversations_message_has_time: { last_position: 1 },
      conversations_status_check: { status: "nonsense" },
    },
  },
  {
    table: "messages",
    row: (n) => ({ conversation_id: seeded.conversation, position: 4 + n, role: "learner", content: "Test" }),
    rejects: {
      messages_content_check: { content: "" },
      messages_input_tokens_check: { ...said, input_tokens: -1 },
      messages_latency_ms_check: { ...said, latency_ms: -1 },
      messages_model_check: { ...said, model: "" },
      messages_model_of_assistant: { model: "tutor-1" },
      messages_output_tokens_check: { ...said, output_tokens: -1 },
      messages_position_check: { position: 0 },
      messages_rating_check: { ...said, rating: 0 },
      messages_role_check: { role: "nonsense" },
      messages_usage_of_assistant: { input_tokens: 1 },
    },
  },
];
