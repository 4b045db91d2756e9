drop function integrity_findings();
drop view migrations;
drop function applied_migrations();

-- Named together: the tables refer to each other, and nothing outside this migration may refer to them any more.
drop table
  audit_logs, webhook_events, webhooks, external_service_calls, compliance_checks, risk_assessments, business_classifications, businesses,
  industry_codes, api_keys, token_blacklist, password_reset_tokens, email_verification_tokens, users;

drop function guard_webhook_event();
drop function webhook_transition_allowed(text, text);
drop function delete_expired_tokens(timestamptz);
drop function expire_compliance_checks(timestamptz);
drop function apply_compliance_check();
drop function guard_compliance_check();
drop function compliance_transition_allowed(text, text);
drop function compliance_status_of(uuid);
drop function apply_risk_assessment();
drop function supersede_risk_assessment();
drop function guard_risk_assessment();
drop function guard_business();
drop function business_transition_allowed(text, text);
drop function guard_reported_action();
drop function audit_row_change();
drop function changed_columns(jsonb, jsonb, text[]);
drop function redact_secrets(jsonb);
drop function current_client_ip();
drop function current_app_api_key_id();
drop function current_app_user_id();
drop function keep_facts();
drop function restrict_to_owner(regprocedure);
drop function revoke_from_grantees(regclass, text[]);
drop function reject_row_change();
drop function in_maintenance(oid);
drop function set_updated_at();
