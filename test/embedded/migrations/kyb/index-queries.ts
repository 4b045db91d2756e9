import type { IndexQueries } from "../index-queries.ts";

const someId = "'00000000-0000-4000-8000-000000000001'";

/** Less frequent queries of the KYB platform. Each uses an index that no query of queries.ts uses. */
export const indexQueries: IndexQueries = {
  api_keys_expiring_idx:
    "select * from api_keys where revoked_at is null and expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  audit_logs_action_idx:
    "select * from audit_logs where action not in ('insert', 'update', 'delete') and action = 'login' order by occurred_at desc limit 50",
  audit_logs_api_key_idx: `select * from audit_logs where api_key_id = ${someId} order by occurred_at desc limit 50`,
  audit_logs_occurred_brin: "select * from audit_logs where occurred_at >= timestamptz '2025-12-31Z'",
  audit_logs_request_idx: "select * from audit_logs where request_id = 'R1'",
  businesses_metadata_idx: `select * from businesses where deleted_at is null and metadata @> '{"source": "api"}'`,
  compliance_checks_findings_idx: `select * from compliance_checks where findings <> '[]' and findings @> '{"source": "api"}'`,
  email_verification_tokens_expires_idx:
    "select * from email_verification_tokens where expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  external_service_calls_request_idx: "select * from external_service_calls where request_id = 'R1'",
  external_service_calls_service_idx:
    "select * from external_service_calls where service = 'registry' order by called_at desc limit 50",
  industry_codes_title_idx: "select * from industry_codes where title ilike '%abc%'",
  password_reset_tokens_expires_idx:
    "select * from password_reset_tokens where expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  risk_assessments_assessed_brin: "select * from risk_assessments where assessed_at >= timestamptz '2025-12-31Z'",
  role_assignments_expiring_idx:
    "select * from role_assignments where expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  token_blacklist_expires_idx:
    "select * from token_blacklist where expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  users_name_search_idx: "select * from users where deleted_at is null and full_name ilike '%abc%'",
  users_status_idx:
    "select * from users where deleted_at is null and status = 'suspended' order by created_at desc limit 50",
  webhooks_event_types_idx: "select * from webhooks where status = 'active' and event_types @> '{business.approved}'",
};
