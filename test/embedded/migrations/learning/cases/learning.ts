import { at, type TableCases } from "../../table-cases.ts";
import { option, seeded } from "./seeded.ts";

const submitted = { status: "submitted", submitted_at: at(1) };
const graded = { ...submitted, status: "graded", graded_at: at(2), score: 1, max_score: 2 };

export const learningCases: TableCases[] = [
  {
    table: "enrolments",
    row: (n) => ({
      user_id: seeded.newcomer,
      course_id: n === 1 ? seeded.course : seeded.otherCourse,
      enrolled_at: at(0),
    }),
    rejects: {
      enrolments_completed_after_enrolment: { status: "completed", progress_percentage: 100, completed_at: at(-1) },
      enrolments_completed_has_time: { status: "completed", progress_percentage: 100 },
      enrolments_completed_is_whole: { status: "completed", completed_at: at(1) },
      enrolments_due_after_enrolment: { due_at: at(0) },
      enrolments_progress_percentage_check: { progress_percentage: 101 },
      enrolments_status_check: { status: "nonsense" },
      enrolments_withdrawn_after_enrolment: { status: "withdrawn", withdrawn_at: at(-1) },
      enrolments_withdrawn_has_time: { status: "withdrawn" },
    },
  },
  {
    table: "lesson_progress",
    row: (n) => ({
      enrolment_id: seeded.enrolment,
      lesson_id: n === 1 ? seeded.lesson : seeded.otherLesson,
      opened_at: at(0),
      last_opened_at: at(0),
    }),
    rejects: {
      lesson_progress_completed_after_opening: { status: "completed", percentage: 100, completed_at: at(-1) },
      lesson_progress_completed_has_time: { status: "completed", percentage: 100 },
      lesson_progress_completed_is_whole: { status: "completed", completed_at: at(1) },
      lesson_progress_last_opened_after_opening: { last_opened_at: at(-1) },
      lesson_progress_media_position_seconds_check: { media_position_seconds: -1 },
      lesson_progress_percentage_check: { percentage: 101 },
      lesson_progress_status_check: { status: "nonsense" },
      lesson_progress_time_spent_seconds_check: { time_spent_seconds: -1 },
    },
  },
  {
    table: "sessions",
    row: () => ({
      user_id: seeded.newcomer,
      course_id: seeded.course,
      started_at: at(0),
      last_active_at: at(1),
      ended_at: at(2),
      end_reason: "finished",
    }),
    rejects: {
      sessions_active_after_start: { last_active_at: at(-1) },
      sessions_active_seconds_check: { active_seconds: -1 },
      sessions_active_within_duration: { active_seconds: 7201 },
      sessions_device_check: { device: "nonsense" },
      sessions_end_reason_check: { end_reason: "nonsense" },
      sessions_ended_after_active: { ended_at: at(0) },
      sessions_ended_has_reason: { end_reason: null },
      sessions_focus_score_check: { focus_score: 1.1 },
      sessions_kind_check: { kind: "nonsense" },
      sessions_legacy_id_check: { legacy_id: "" },
      sessions_lesson_has_course: { lesson_id: seeded.lesson, course_id: null },
      sessions_metadata_check: { metadata: "[]" },
    },
    duplicating: {
      sessions_legacy_id_key: { legacy_id: "7" },
      sessions_one_open_key: { ended_at: null, end_reason: null },
    },
  },
  {
    table: "assessment_attempts",
    row: (n) => ({
      user_id: seeded.newcomer,
      assessment_id: n === 1 ? seeded.quiz : seeded.styleAssessment,
      attempt_number: n,
      started_at: at(0),
    }),
    rejects: {
      assessment_attempts_attempt_number_check: { attempt_number: 0 },
      assessment_attempts_expires_after_start: { expires_at: at(0) },
      assessment_attempts_graded_after_submission: { ...graded, graded_at: at(0) },
      assessment_attempts_graded_has_score: { ...graded, score: null, max_score: null },
      assessment_attempts_graded_has_time: { ...submitted, status: "graded" },
      assessment_attempts_legacy_id_check: { legacy_id: "" },
      assessment_attempts_max_score_check: { ...graded, score: 0, max_score: -1 },
      assessment_attempts_metadata_check: { metadata: "[]" },
      assessment_attempts_passed_when_graded: { passed: true },
      assessment_attempts_score_check: { ...graded, score: -1 },
      assessment_attempts_score_within_maximum: { ...graded, score: 3 },
      assessment_attempts_status_check: { status: "nonsense" },
      assessment_attempts_submitted_after_start: { ...submitted, submitted_at: at(-1) },
      assessment_attempts_submitted_has_time: { status: "submitted" },
      assessment_attempts_submitted_in_time: { ...submitted, submitted_at: at(3), expires_at: at(2) },
    },
    duplicating: { assessment_attempts_legacy_id_key: { legacy_id: "7" } },
  },
  {
    table: "attempt_answers",
    row: (n) => ({
      attempt_id: seeded.openAttempt,
      assessment_id: seeded.quiz,
      question_id: n === 1 ? seeded.trueFalse : seeded.numeric,
      max_points: n,
    }),
    rejects: {
      attempt_answers_graded_has_points: { is_correct: true },
      attempt_answers_hints_used_check: { hints_used: -1 },
      attempt_answers_max_points_check: { max_points: -1 },
      attempt_answers_one_form: { text_answer: "1", numeric_answer: 1 },
      attempt_answers_points_awarded_check: { is_correct: false, points_awarded: -1 },
      attempt_answers_points_within_maximum: { is_correct: true, points_awarded: 2 },
      attempt_answers_text_answer_check: { text_answer: "a".repeat(20_001) },
      attempt_answers_time_spent_ms_check: { time_spent_ms: -1 },
    },
  },
  {
    table: "attempt_answer_options",
    row: (n) => ({
      attempt_id: seeded.openAttempt,
      question_id: seeded.multipleChoice,
      option_id: option("fractions-larger", n),
    }),
    rejects: {},
  },
];
