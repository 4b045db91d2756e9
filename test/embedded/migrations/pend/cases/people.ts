import { at, bcrypt, letter, sha256, type TableCases } from "../../table-cases.ts";
import { seeded } from "./seeded.ts";

const decided = { submitted_at: at(1), reviewed_by: seeded.compliance, reviewed_at: at(2) };
const approved = { ...decided, status: "approved", risk_rating: "low", valid_until: at(3) };
const verified = { status: "accepted", verified_by: seeded.compliance, verified_at: at(1) };

export const peopleCases: TableCases[] = [
  {
    table: "admin_users",
    row: (n) => ({
      email: `test${n}@example.com`,
      full_name: "Test",
      password_hash: bcrypt,
      role: "viewer",
      created_at: at(0),
    }),
    rejects: {
      admin_users_deleted_after_creation: { status: "closed", deleted_at: at(-1) },
      admin_users_deleted_is_closed: { deleted_at: at(1) },
      admin_users_email_check: { email: "Test@example.com" },
      admin_users_failed_login_attempts_check: { failed_login_attempts: -1 },
      admin_users_full_name_check: { full_name: "" },
      admin_users_password_hash_bcrypt: { password_hash: bcrypt.replace("$10$", "$09$") },
      admin_users_role_check: { role: "nonsense" },
      admin_users_status_check: { status: "nonsense" },
      admin_users_two_factor_has_secret: { two_factor_enabled: true },
    },
  },
  {
    table: "admin_permissions",
    row: (n) => ({ role: "viewer", resource: "test", action: letter(n) }),
    rejects: {
      admin_permissions_action_check: { action: "Read" },
      admin_permissions_resource_check: { resource: "" },
      admin_permissions_role_check: { role: "nonsense" },
    },
  },
  {
    table: "user_tiers",
    row: (n) => ({ code: `test_${letter(n)}`, name: "Test", rank: 100 + n, max_investment: 10 }),
    rejects: {
      user_tiers_benefits_check: { benefits: "[]" },
      user_tiers_code_check: { code: "Test" },
      user_tiers_early_access_hours_check: { early_access_hours: 721 },
      user_tiers_fee_rate_check: { fee_rate: 1 },
      user_tiers_max_investment_check: { max_investment: -1 },
      user_tiers_name_check: { name: "" },
      user_tiers_rank_check: { rank: 0 },
      user_tiers_required_kyc_level_check: { required_kyc_level: 4 },
      user_tiers_total_holds_one: { max_total_invested: 9 },
    },
  },
  {
    table: "users",
    row: (n) => ({
      phone_hash: sha256(n),
      blockchain_address: `0x${String(n).repeat(40)}`,
      status: "active",
      created_at: at(0),
    }),
    rejects: {
      users_active_has_address: { blockchain_address: null },
      users_blockchain_address_check: { blockchain_address: `0x${"A".repeat(40)}` },
      users_deleted_after_creation: { status: "closed", phone_hash: null, deleted_at: at(-1) },
      users_deleted_is_closed: { phone_hash: null, deleted_at: at(1) },
      users_deleted_is_forgotten: { status: "closed", deleted_at: at(1) },
      users_email_check: { email: "nobody" },
      users_failed_login_attempts_check: { failed_login_attempts: -1 },
      users_kyc_level_check: { kyc_level: 4 },
      users_legacy_id_check: { legacy_id: "" },
      users_password_has_email: { password_hash: bcrypt },
      users_password_hash_bcrypt: { email: "test@example.com", password_hash: "secret" },
      users_phone_hash_check: { phone_hash: "+447700900101" },
      users_referred_by_another: { id: seeded.newUser, referred_by: seeded.newUser },
      users_status_check: { status: "nonsense" },
      users_suspended_has_reason: { status: "suspended" },
    },
    duplicating: {
      users_email_key: { email: "test@example.com" },
      users_legacy_id_key: { legacy_id: "7" },
    },
  },
  {
    table: "user_profiles",
    row: (n) => ({
      user_id: n === 1 ? seeded.newUser : seeded.otherNewUser,
      full_name: "Test",
      date_of_birth: "2012-01-01",
      created_at: at(0),
    }),
    rejects: {
      user_profiles_address_check: { address: "[]" },
      user_profiles_adult: { date_of_birth: "2012-01-02" },
      user_profiles_city_check: { city: "" },
      user_profiles_country_code_check: { country_code: "de" },
      user_profiles_full_name_check: { full_name: "" },
      user_profiles_language_check: { language: "english" },
      user_profiles_preferences_check: { preferences: "[]" },
      user_profiles_risk_profile_check: { risk_profile: "nonsense" },
      user_profiles_time_zone_check: { time_zone: "" },
    },
  },
  {
    table: "kyc_applications",
    row: (n) => ({ user_id: n === 1 ? seeded.alice : seeded.bob, level: 1, status: "draft", created_at: at(0) }),
    rejects: {
      kyc_applications_answers_check: { answers: "[]" },
      kyc_applications_approved_has_end: { ...approved, valid_until: null },
      kyc_applications_approved_is_rated: { ...approved, risk_rating: null },
      kyc_applications_decided_has_person: { ...approved, reviewed_by: null },
      kyc_applications_level_check: { level: 4 },
      kyc_applications_provider_check: { provider: "" },
      kyc_applications_reference_has_provider: { provider_reference: "test" },
      kyc_applications_rejected_has_reason: { ...decided, status: "rejected" },
      kyc_applications_reviewed_after_submission: { ...approved, submitted_at: at(3) },
      kyc_applications_risk_rating_check: { risk_rating: "nonsense" },
      kyc_applications_status_check: { status: "nonsense", submitted_at: at(1) },
      kyc_applications_submitted_has_time: { status: "submitted" },
      kyc_applications_valid_after_review: { ...approved, valid_until: at(2) },
    },
    duplicating: {
      kyc_applications_provider_key: { provider: "test", provider_reference: "test" },
    },
  },
  {
    table: "kyc_documents",
    row: (n) => ({
      application_id: seeded.application,
      document_type: "selfie",
      storage_key: `test/${n}`,
      sha256: sha256(n),
      mime_type: "image/png",
      size_bytes: 1,
      uploaded_at: at(0),
    }),
    rejects: {
      kyc_documents_document_type_check: { document_type: "nonsense" },
      kyc_documents_identity_has_country: { document_type: "passport" },
      kyc_documents_issuing_country_check: { issuing_country: "Germany" },
      kyc_documents_mime_type_check: { mime_type: "text/html" },
      kyc_documents_rejected_has_reason: { ...verified, status: "rejected" },
      kyc_documents_sha256_check: { sha256: "nonsense" },
      kyc_documents_size_bytes_check: { size_bytes: 26_214_401 },
      kyc_documents_status_check: { ...verified, status: "nonsense" },
      kyc_documents_storage_key_check: { storage_key: "" },
      kyc_documents_verified_after_upload: { ...verified, verified_at: at(-1) },
      kyc_documents_verified_has_person: { ...verified, verified_by: null },
    },
    referring: {
      kyc_documents_verified_by_fkey: { status: "accepted", verified_at: at(1) },
    },
  },
];
