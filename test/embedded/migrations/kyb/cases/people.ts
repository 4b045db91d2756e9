import { at, bcrypt, letter, numbered, sha256, type TableCases } from "../../table-cases.ts";
import { permission, seeded } from "./seeded.ts";

export const peopleCases: TableCases[] = [
  {
    table: "users",
    row: (n) => ({
      email: `case${n}@example.com`,
      username: `case${n}`,
      password_hash: bcrypt,
      full_name: "Case",
      created_at: at(0),
    }),
    rejects: {
      users_active_is_verified: { status: "active" },
      users_deleted_after_creation: { status: "closed", deleted_at: at(-1) },
      users_deleted_is_closed: { deleted_at: at(1) },
      users_email_check: { email: "Case@example.com" },
      users_failed_login_attempts_check: { failed_login_attempts: -1 },
      users_full_name_check: { full_name: "" },
      users_metadata_check: { metadata: "[]" },
      users_password_hash_bcrypt: { password_hash: bcrypt.replace("$10$", "$09$") },
      users_status_check: { status: "nonsense" },
      users_username_check: { username: "?" },
    },
  },
  {
    table: "email_verification_tokens",
    row: (n) => ({
      user_id: seeded.newcomer,
      email: "newcomer@example.com",
      token_hash: sha256(n),
      created_at: at(0),
      expires_at: at(1),
    }),
    rejects: {
      email_verification_tokens_email_check: { email: "newcomer" },
      email_verification_tokens_expires_after_creation: { expires_at: at(0) },
      email_verification_tokens_token_hash_check: { token_hash: "secret" },
      email_verification_tokens_used_in_time: { used_at: at(2) },
    },
  },
  {
    table: "password_reset_tokens",
    row: (n) => ({ user_id: seeded.newcomer, token_hash: sha256(n), created_at: at(0), expires_at: at(1) }),
    rejects: {
      password_reset_tokens_expires_after_creation: { expires_at: at(0) },
      password_reset_tokens_token_hash_check: { token_hash: "secret" },
      password_reset_tokens_used_in_time: { used_at: at(2) },
    },
  },
  {
    table: "token_blacklist",
    row: (n) => ({
      token_id: numbered("70000000", n),
      user_id: seeded.newcomer,
      token_type: "access",
      reason: "logout",
      blacklisted_at: at(0),
      expires_at: at(1),
    }),
    rejects: {
      token_blacklist_expires_after_blacklisting: { expires_at: at(0) },
      token_blacklist_reason_check: { reason: "nonsense" },
      token_blacklist_token_type_check: { token_type: "nonsense" },
    },
  },
  {
    table: "api_keys",
    row: (n) => ({
      user_id: seeded.newcomer,
      name: "Case",
      key_prefix: `casekey${n}`,
      key_hash: sha256(n),
      created_at: at(0),
    }),
    rejects: {
      api_keys_environment_check: { environment: "nonsense" },
      api_keys_expires_after_creation: { expires_at: at(0) },
      api_keys_key_hash_check: { key_hash: "secret" },
      api_keys_key_prefix_check: { key_prefix: "?" },
      api_keys_name_check: { name: "" },
      api_keys_rate_limit_per_minute_check: { rate_limit_per_minute: 0 },
      api_keys_request_count_check: { request_count: -1, last_used_at: at(1) },
      api_keys_revoke_reason_check: { revoked_at: at(1), revoke_reason: "" },
      api_keys_revoked_after_creation: { revoked_at: at(-1), revoke_reason: "lost" },
      api_keys_revoked_has_reason: { revoked_at: at(1) },
      api_keys_revoker_revoked: { revoked_by: seeded.admin },
      api_keys_used_is_counted: { request_count: 1 },
    },
    referring: { api_keys_revoked_by_fkey: { revoked_at: at(1), revoke_reason: "lost" } },
  },
  {
    table: "permissions",
    row: (n) => ({ resource: "case", action: `try_${letter(n)}`, description: "Try" }),
    rejects: {
      permissions_action_check: { action: "?" },
      permissions_description_check: { description: "" },
      permissions_resource_check: { resource: "?" },
    },
  },
  {
    table: "roles",
    row: (n) => ({ name: `case_${letter(n)}`, description: "Case" }),
    rejects: { roles_name_check: { name: "?" } },
  },
  {
    table: "role_permissions",
    row: (n) => ({ role_id: seeded.user, permission_id: permission(n === 1 ? "audit:read" : "user:read") }),
    rejects: {},
  },
  {
    table: "role_assignments",
    row: (n) => ({
      user_id: seeded.newcomer,
      role_id: n === 1 ? seeded.auditor : seeded.integrator,
      assigned_at: at(0),
    }),
    rejects: {
      role_assignments_expires_after_assignment: { expires_at: at(0) },
      role_assignments_not_by_oneself: { assigned_by: seeded.newcomer },
      role_assignments_revoke_reason_check: { revoked_at: at(1), revoke_reason: "" },
      role_assignments_revoked_after_assignment: { revoked_at: at(-1), revoke_reason: "left" },
      role_assignments_revoked_has_reason: { revoked_at: at(1) },
      role_assignments_revoker_revoked: { revoked_by: seeded.admin },
    },
    referring: { role_assignments_revoked_by_fkey: { revoked_at: at(1), revoke_reason: "left" } },
    overlapping: { role_assignments_no_overlap: { role_id: seeded.auditor, assigned_at: at(9) } },
  },
  {
    table: "api_key_permissions",
    row: (n) => ({ api_key_id: seeded.expiredKey, permission_id: permission(n === 1 ? "audit:read" : "user:read") }),
    rejects: {},
  },
];
