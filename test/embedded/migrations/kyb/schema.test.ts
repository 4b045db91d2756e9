import { describeSchemaRules } from "../describe-schema-rules.ts";

describeSchemaRules("kyb", {
  tables: {
    core: "users businesses business_classifications risk_assessments compliance_checks api_keys audit_logs external_service_calls",
    access: "email_verification_tokens password_reset_tokens token_blacklist role_assignments",
    integration: "webhooks webhook_events",
    implied: "industry_codes roles permissions role_permissions api_key_permissions",
  },
  indexes: `users_email_key users_username_key businesses_registration_key businesses_name_search_idx businesses_newest_idx businesses_risk_idx
    businesses_compliance_idx businesses_review_due_idx businesses_assigned_to_idx businesses_portfolio_idx risk_assessments_current_key
    risk_assessments_history_idx risk_assessments_factors_idx compliance_checks_latest_idx compliance_checks_open_idx audit_logs_resource_idx
    audit_logs_user_idx external_service_calls_service_idx external_service_calls_failed_idx webhook_events_due_idx`,
  appendOnly: "audit_logs external_service_calls risk_assessments",
  definerFunctionsForAll: ["applied_migrations()"],
  ownerFunctions: "refresh_analytics integrity_findings revoke_from_grantees restrict_to_owner reject_row_change",
});
