import { at, bcrypt, sha256, type TableCases } from "../../table-cases.ts";
import { seeded } from "./seeded.ts";

const assessed = {
  style_assessed_at: at(0),
  learning_style: "visual",
  visual_score: 0.25,
  auditory_score: 0.25,
  reading_score: 0.25,
  kinesthetic_score: 0.25,
};
/** Returns scores with one out of range that still add up to 1. */
const outOfRange = (column: string) => ({
  ...assessed,
  visual_score: 0.5,
  auditory_score: 0.5,
  reading_score: 0.5,
  kinesthetic_score: 0.5,
  [column]: -0.5,
});

export const peopleCases: TableCases[] = [
  {
    table: "users",
    row: (n) => ({ email: `test${n}@example.com`, display_name: "Test", created_at: at(0) }),
    rejects: {
      users_active_can_log_in: { status: "active" },
      users_deleted_after_creation: { status: "closed", deleted_at: at(-1) },
      users_deleted_is_closed: { deleted_at: at(1) },
      users_display_name_check: { display_name: "" },
      users_email_check: { email: "Test@example.com" },
      users_failed_login_attempts_check: { failed_login_attempts: -1 },
      users_identity_complete: { identity_provider: "school" },
      users_identity_provider_check: { identity_provider: "?", identity_subject: "test" },
      users_identity_subject_check: { identity_provider: "school", identity_subject: "" },
      users_legacy_id_check: { legacy_id: "" },
      users_locale_check: { locale: "english" },
      users_metadata_check: { metadata: "[]" },
      users_password_hash_bcrypt: { password_hash: bcrypt.replace("$10$", "$09$") },
      users_role_check: { role: "nonsense" },
      users_status_check: { status: "nonsense" },
      users_time_zone_check: { time_zone: "" },
    },
    duplicating: {
      users_identity_key: { identity_provider: "school", identity_subject: "test" },
      users_legacy_id_key: { legacy_id: "7" },
    },
  },
  {
    table: "login_sessions",
    row: (n) => ({
      user_id: seeded.leo,
      token_hash: sha256(n),
      ip: "192.0.2.1",
      created_at: at(0),
      last_seen_at: at(0),
      expires_at: at(1),
    }),
    rejects: {
      login_sessions_expires_after_creation: { expires_at: at(0) },
      login_sessions_revoked_after_creation: { revoked_at: at(-1) },
      login_sessions_seen_after_creation: { last_seen_at: at(-1) },
      login_sessions_token_hash_check: { token_hash: "secret" },
    },
  },
  {
    table: "learning_profiles",
    row: (n) => ({ user_id: n === 1 ? seeded.admin : seeded.instructor }),
    rejects: {
      learning_profiles_auditory_score_check: outOfRange("auditory_score"),
      learning_profiles_daily_goal_minutes_check: { daily_goal_minutes: 4 },
      learning_profiles_kinesthetic_score_check: outOfRange("kinesthetic_score"),
      learning_profiles_learning_style_check: { ...assessed, learning_style: "nonsense" },
      learning_profiles_legacy_id_check: { legacy_id: "" },
      learning_profiles_level_check: { level: "nonsense" },
      learning_profiles_pace_check: { pace: "nonsense" },
      learning_profiles_preferences_check: { preferences: "[]" },
      learning_profiles_reading_score_check: outOfRange("reading_score"),
      learning_profiles_scores_add_up: { ...assessed, visual_score: 0.26 },
      learning_profiles_style_assessed: { style_assessed_at: at(0) },
      learning_profiles_visual_score_check: outOfRange("visual_score"),
    },
    duplicating: { learning_profiles_legacy_id_key: { legacy_id: "7" } },
  },
  {
    table: "audit_log",
    row: () => ({ table_name: "users", record_id: "1", action: "insert", new_data: "{}" }),
    rejects: {
      audit_log_action_check: { action: "nonsense", old_data: "{}" },
      audit_log_data_fits_action: { old_data: "{}" },
      audit_log_update_names_columns: { action: "update", old_data: "{}" },
    },
  },
];
