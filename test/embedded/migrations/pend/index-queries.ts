import type { IndexQueries } from "../index-queries.ts";

const someId = "'00000000-0000-4000-8000-000000000001'";

/** Less frequent queries of the investment platform. Each uses an index that no query of queries.ts uses. */
export const indexQueries: IndexQueries = {
  admin_logs_action_idx: "select * from admin_logs where action = 'login' order by timestamp desc limit 50",
  admin_logs_target_idx:
    "select * from admin_logs where target_id is not null and target_type = 'user' and target_id = 'R1' order by timestamp desc limit 50",
  api_usage_logs_failed_idx:
    "select * from api_usage_logs where status_code >= 500 and timestamp >= timestamptz '2025-12-31Z' order by timestamp desc limit 100",
  api_usage_logs_user_idx: `select * from api_usage_logs where user_id = ${someId} order by timestamp desc limit 50`,
  assets_closing_idx:
    "select * from assets where status = 'open' and closes_at <= timestamptz '2025-12-31Z' order by closes_at limit 100",
  assets_contract_address_idx: "select * from assets where contract_address = '0xc0ffee'",
  assets_maturing_idx:
    "select * from assets where status = 'active' and matures_at <= timestamptz '2025-12-31Z' order by matures_at limit 100",
  assets_status_opens_idx:
    "select * from assets where deleted_at is null and status = 'suspended' order by opens_at desc limit 50",
  assets_tags_idx: "select * from assets where tags @> '{green}'",
  blockchain_events_block_idx: "select * from blockchain_events where chain_id = 1 order by block_number desc limit 50",
  blockchain_events_from_idx:
    "select * from blockchain_events where from_address = '0xc0ffee' order by occurred_at desc limit 50",
  blockchain_events_to_idx:
    "select * from blockchain_events where to_address = '0xc0ffee' order by occurred_at desc limit 50",
  contract_interactions_contract_idx:
    "select * from contract_interactions where contract_address = '0xc0ffee' and function_name = 'mint' order by created_at desc limit 50",
  contract_interactions_open_idx:
    "select * from contract_interactions where status = 'submitted' and submitted_at <= timestamptz '2025-12-31Z' order by submitted_at limit 100",
  investments_maturing_idx:
    "select * from investments where status = 'active' and matures_at <= timestamptz '2025-12-31Z' order by matures_at limit 100",
  kyc_applications_expiring_idx:
    "select * from kyc_applications where status = 'approved' and valid_until <= timestamptz '2025-12-31Z' order by valid_until limit 100",
  kyc_documents_pending_idx:
    "select * from kyc_documents where status = 'pending' and uploaded_at <= timestamptz '2025-12-31Z' order by uploaded_at limit 100",
  kyc_documents_sha256_idx: "select * from kyc_documents where sha256 = 'e3b0c442'",
  system_logs_component_idx: "select * from system_logs where component = 'matching' order by timestamp desc limit 50",
  system_logs_request_idx: "select * from system_logs where request_id = 'R1'",
  system_logs_severe_idx:
    "select * from system_logs where level in ('error', 'critical') and timestamp >= timestamptz '2025-12-31Z' order by timestamp desc limit 100",
  system_logs_timestamp_brin: "select * from system_logs where timestamp >= timestamptz '2025-12-31Z'",
  system_metrics_recorded_brin: "select * from system_metrics where recorded_at >= timestamptz '2025-12-31Z'",
  transactions_hash_idx: "select * from transactions where transaction_hash = '0xc0ffee'",
  user_profiles_country_idx: "select * from user_profiles where country_code = 'GB'",
  user_profiles_full_name_trgm_idx: "select * from user_profiles where full_name ilike '%abc%'",
  users_locked_idx: "select * from users where locked_until > timestamptz '2025-12-31Z' order by locked_until limit 50",
  users_status_created_idx:
    "select * from users where deleted_at is null and status = 'suspended' order by created_at desc limit 50",
};
