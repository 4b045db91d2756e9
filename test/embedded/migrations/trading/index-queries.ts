import type { IndexQueries } from "../index-queries.ts";

const someId = "'00000000-0000-4000-8000-000000000001'";

/** Less frequent queries of the trading engine. Each uses an index that no query of queries.ts uses. */
export const indexQueries: IndexQueries = {
  account_audit_account_idx: `select * from account_audit where account_id = ${someId} order by occurred_at desc limit 50`,
  account_audit_occurred_brin: "select * from account_audit where occurred_at >= timestamptz '2025-12-31Z'",
  account_transactions_created_brin: "select * from account_transactions where created_at >= timestamptz '2025-12-31Z'",
  accounts_metadata_idx: `select * from accounts where metadata @> '{"source": "api"}'`,
  accounts_type_status_idx:
    "select * from accounts where deleted_at is null and account_type = 'standard' order by status limit 50",
  api_access_log_failed_idx:
    "select * from api_access_log where status_code = 404 and status_code >= 400 order by occurred_at desc limit 50",
  api_access_log_key_idx: `select * from api_access_log where api_key_id = ${someId} order by occurred_at desc limit 50`,
  api_access_log_occurred_brin: "select * from api_access_log where occurred_at >= timestamptz '2025-12-31Z'",
  api_access_log_path_idx: "select * from api_access_log where path = '/v1/orders' order by occurred_at desc limit 50",
  api_access_log_request_idx: "select * from api_access_log where request_id = 'R1'",
  api_access_log_user_idx: `select * from api_access_log where user_id = ${someId} order by occurred_at desc limit 50`,
  api_keys_live_idx:
    "select * from api_keys where revoked_at is null and expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  api_keys_scopes_idx: "select * from api_keys where revoked_at is null and scopes @> '{orders:write}'",
  audit_log_changed_columns_idx: "select * from audit_log where changed_columns @> '{status}'",
  audit_log_new_data_idx: `select * from audit_log where new_data @> '{"source": "api"}'`,
  audit_log_occurred_brin: "select * from audit_log where occurred_at >= timestamptz '2025-12-31Z'",
  audit_log_record_idx:
    "select * from audit_log where table_name = 'orders' and record_id = 'R1' order by occurred_at desc limit 50",
  audit_log_transaction_idx: `select * from audit_log where transaction_id = '1'`,
  audit_log_user_idx: `select * from audit_log where user_id = ${someId} order by occurred_at desc limit 50`,
  circuit_breaker_events_occurred_brin:
    "select * from circuit_breaker_events where occurred_at >= timestamptz '2025-12-31Z'",
  circuit_breakers_armed_idx:
    "select * from circuit_breakers where status = 'armed' and breaker_type = 'price_move' and scope = 'instrument'",
  circuit_breakers_tripped_idx:
    "select * from circuit_breakers where status = 'tripped' and resets_at <= timestamptz '2025-12-31Z' order by resets_at limit 100",
  client_profiles_flow_idx:
    "select * from client_profiles where flow_class = 'toxic' order by toxicity_score desc limit 50",
  client_profiles_metadata_idx: `select * from client_profiles where metadata @> '{"source": "api"}'`,
  compliance_events_details_idx: `select * from compliance_events where details @> '{"source": "api"}'`,
  compliance_events_open_idx:
    "select * from compliance_events where status <> 'closed' and due_at <= timestamptz '2025-12-31Z' order by due_at limit 100",
  exchange_rates_as_of_brin: "select * from exchange_rates where as_of >= timestamptz '2025-12-31Z'",
  instruments_metadata_idx: `select * from instruments where metadata @> '{"source": "api"}'`,
  instruments_not_active_idx:
    "select * from instruments where trading_status <> 'active' and trading_status = 'halted'",
  liquidity_providers_active_idx:
    "select * from liquidity_providers where status = 'active' and deleted_at is null  order by priority",
  liquidity_providers_asset_classes_idx: "select * from liquidity_providers where asset_classes @> '{forex}'",
  liquidity_providers_metadata_idx: `select * from liquidity_providers where metadata @> '{"source": "api"}'`,
  login_attempts_attempted_brin: "select * from login_attempts where attempted_at >= timestamptz '2025-12-31Z'",
  login_attempts_email_failed_idx:
    "select * from login_attempts where not succeeded and email = 'ana@example.com' order by attempted_at desc limit 50",
  login_attempts_ip_failed_idx:
    "select * from login_attempts where not succeeded and ip = '192.0.2.1' order by attempted_at desc limit 50",
  lp_instruments_instrument_idx: `select liquidity_provider_id from lp_instruments where instrument_id = ${someId} and is_tradable`,
  lp_order_routing_decided_brin: "select * from lp_order_routing where decided_at >= timestamptz '2025-12-31Z'",
  lp_order_routing_failed_idx:
    "select * from lp_order_routing where status in ('rejected', 'timed_out') and decided_at >= timestamptz '2025-12-31Z' order by decided_at desc limit 100",
  lp_order_routing_in_flight_idx:
    "select * from lp_order_routing where status in ('sent', 'acknowledged', 'partially_filled') and sent_at <= timestamptz '2025-12-31Z' order by sent_at limit 100",
  lp_performance_metrics_period_idx:
    "select * from lp_performance_metrics where period_start >= timestamptz '2025-12-31Z' order by period_start desc limit 50",
  lp_quotes_instrument_idx: `select quoted_at, bid, ask from lp_quotes where instrument_id = ${someId} order by quoted_at desc limit 50`,
  lp_quotes_quoted_brin: "select * from lp_quotes where quoted_at >= timestamptz '2025-12-31Z'",
  margin_calls_due_idx:
    "select * from margin_calls where status = 'open' and due_at <= timestamptz '2025-12-31Z' order by due_at limit 100",
  order_audit_account_idx: `select * from order_audit where account_id = ${someId} order by occurred_at desc limit 50`,
  order_audit_occurred_brin: "select * from order_audit where occurred_at >= timestamptz '2025-12-31Z'",
  order_audit_order_idx: `select * from order_audit where order_id = ${someId} order by occurred_at limit 50`,
  order_fills_executed_brin: "select * from order_fills where executed_at >= timestamptz '2025-12-31Z'",
  order_fills_venue_idx: "select * from order_fills where venue = 'LSE' order by executed_at desc limit 50",
  orders_client_order_id_trgm_idx: "select * from orders where client_order_id ilike '%abc%'",
  orders_expiring_idx:
    "select * from orders where status in ('pending_new', 'new', 'partially_filled', 'pending_cancel') and expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  orders_metadata_idx: `select * from orders where metadata @> '{"source": "api"}'`,
  orders_submitted_brin: "select * from orders where submitted_at >= timestamptz '2025-12-31Z'",
  password_reset_tokens_unused_idx:
    "select * from password_reset_tokens where used_at is null and expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  payments_metadata_idx: `select * from payments where metadata @> '{"source": "api"}'`,
  payments_waiting_idx:
    "select * from payments where status in ('pending', 'processing') and direction = 'withdrawal' order by created_at limit 50",
  portfolio_risk_by_asset_class_idx: `select * from portfolio_risk where by_asset_class @> '{"source": "api"}'`,
  portfolio_risk_calculated_brin: "select * from portfolio_risk where calculated_at >= timestamptz '2025-12-31Z'",
  position_audit_account_idx: `select * from position_audit where account_id = ${someId} order by occurred_at desc limit 50`,
  position_audit_occurred_brin: "select * from position_audit where occurred_at >= timestamptz '2025-12-31Z'",
  position_audit_position_idx: `select * from position_audit where position_id = ${someId} order by occurred_at limit 50`,
  position_risk_metrics_calculated_brin:
    "select * from position_risk_metrics where calculated_at >= timestamptz '2025-12-31Z'",
  position_risk_metrics_var_idx: "select * from position_risk_metrics order by var_99 desc nulls last limit 20",
  price_bars_opened_brin: "select * from price_bars where opened_at >= timestamptz '2025-12-31Z'",
  risk_alerts_open_idx:
    "select * from risk_alerts where status = 'open' and severity = 'critical' order by created_at desc limit 50",
  risk_events_details_idx: `select * from risk_events where details @> '{"source": "api"}'`,
  risk_events_open_idx:
    "select * from risk_events where status <> 'resolved' and severity = 'critical' order by occurred_at desc limit 50",
  risk_limit_breaches_open_idx:
    "select * from risk_limit_breaches where resolved_at is null and breached_at >= timestamptz '2025-12-31Z' order by breached_at desc limit 100",
  sessions_ip_idx: "select * from sessions where ip = '192.0.2.1'",
  sessions_live_idx:
    "select * from sessions where revoked_at is null and expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  sor_rules_conditions_idx: `select * from sor_rules where conditions @> '{"source": "api"}'`,
  stress_test_results_details_idx: `select * from stress_test_results where details @> '{"source": "api"}'`,
  stress_test_scenarios_shocks_idx: `select * from stress_test_scenarios where shocks @> '{"source": "api"}'`,
  system_events_component_idx:
    "select * from system_events where component = 'matching' order by occurred_at desc limit 50",
  system_events_details_idx: `select * from system_events where details @> '{"source": "api"}'`,
  system_events_occurred_brin: "select * from system_events where occurred_at >= timestamptz '2025-12-31Z'",
  system_events_serious_idx:
    "select * from system_events where severity = 'critical' order by occurred_at desc limit 50",
  trades_metadata_idx: `select * from trades where metadata @> '{"source": "api"}'`,
  trades_settlement_idx: "select * from trades where settles_on <= date '2025-12-31' order by settles_on limit 100",
  user_activity_log_ip_idx: "select * from user_activity_log where ip = '192.0.2.1' order by occurred_at desc limit 50",
  user_activity_log_occurred_brin: "select * from user_activity_log where occurred_at >= timestamptz '2025-12-31Z'",
  user_activity_log_session_idx: `select * from user_activity_log where session_id = ${someId}`,
  user_roles_expiring_idx:
    "select * from user_roles where expires_at <= timestamptz '2025-12-31Z' order by expires_at limit 100",
  users_country_idx: "select * from users where deleted_at is null and country_code = 'GB'",
  users_metadata_idx: `select * from users where metadata @> '{"source": "api"}'`,
  users_username_trgm_idx: "select * from users where username ilike '%abc%'",
};
