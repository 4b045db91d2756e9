drop trigger audit_change on transactions;
drop trigger audit_change on investments;
drop trigger audit_change on kyc_documents;
drop trigger audit_change on kyc_applications;
drop trigger audit_change on user_profiles;
drop trigger audit_change on users;
drop trigger audit_change on assets;
drop trigger audit_change on user_tiers;
drop trigger audit_change on admin_permissions;
drop trigger audit_change on admin_users;

drop table admin_logs;

drop function audit_row_change();
drop function redact_secrets(jsonb);
drop function current_client_ip();
drop function current_admin_user_id();
