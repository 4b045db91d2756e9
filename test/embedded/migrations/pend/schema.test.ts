import { describeSchemaRules } from "../describe-schema-rules.ts";

describeSchemaRules("pend", {
  tables: {
    people: "users user_profiles user_tiers kyc_applications kyc_documents",
    money: "assets investments transactions investment_agreements",
    administration: "admin_users admin_logs admin_permissions",
    chain: "blockchain_events contract_interactions",
    system: "system_logs system_metrics api_usage_logs",
  },
  indexes: `idx_users_phone_hash idx_users_blockchain_address idx_investments_user_asset idx_transactions_timestamp idx_admin_logs_timestamp
    idx_blockchain_events_contract transactions_waiting_idx`,
  appendOnly: "investment_agreements admin_logs system_logs system_metrics api_usage_logs",
  ownerFunctions:
    "revoke_from_grantees restrict_to_owner reject_row_change make_append_only keep_rows refresh_analytics integrity_findings audit_row_change",
});
