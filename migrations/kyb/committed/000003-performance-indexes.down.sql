drop statistics external_service_calls_outcome_stats, business_classifications_industry_stats, businesses_state_stats;

-- -1 is PostgreSQL's own default target.
alter table businesses alter column trade_name set statistics -1;
alter table businesses alter column legal_name set statistics -1;
alter table businesses alter column created_by set statistics -1;
alter table business_classifications alter column industry_code set statistics -1;

drop function refresh_analytics();
drop materialized view portfolio_statistics;

drop index
  webhook_events_dead_idx, webhook_events_business_idx, webhook_events_webhook_idx, webhook_events_due_idx, webhooks_event_types_idx,
  token_blacklist_expires_idx, token_blacklist_user_idx, password_reset_tokens_expires_idx, password_reset_tokens_user_idx,
  email_verification_tokens_expires_idx, email_verification_tokens_user_idx, users_status_idx, api_keys_expiring_idx,
  api_keys_revoked_by_idx, api_keys_user_idx, external_service_calls_called_brin, external_service_calls_request_idx,
  external_service_calls_check_idx, external_service_calls_user_idx, external_service_calls_business_idx,
  external_service_calls_failed_idx, external_service_calls_service_idx, audit_logs_occurred_brin, audit_logs_request_idx,
  audit_logs_action_idx, audit_logs_api_key_idx, audit_logs_user_idx, audit_logs_resource_idx, compliance_checks_findings_idx,
  compliance_checks_reviewed_by_idx, compliance_checks_requested_by_idx, compliance_checks_expiring_idx, compliance_checks_failed_idx,
  compliance_checks_open_idx, risk_assessments_assessed_brin, risk_assessments_assessed_by_idx,
  risk_assessments_factors_idx, industry_codes_title_idx, business_classifications_unsure_idx,
  business_classifications_classified_by_idx, business_classifications_business_idx, business_classifications_industry_idx,
  businesses_portfolio_idx, businesses_created_by_idx, businesses_assigned_to_idx, businesses_waiting_idx, businesses_review_due_idx,
  businesses_compliance_idx, businesses_risk_idx, businesses_newest_idx, users_name_search_idx,
  businesses_metadata_idx, businesses_tax_id_idx, businesses_name_search_idx;
