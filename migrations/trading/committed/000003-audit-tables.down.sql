drop trigger audit_change on instruments;
drop trigger audit_change on payments;
drop trigger audit_change on api_keys;
drop trigger audit_change on user_roles;
drop trigger audit_change on role_permissions;
drop trigger audit_change on roles;
drop trigger audit_change on users;
drop trigger audit_change on accounts;
drop trigger audit_change on positions;
drop trigger audit_change on orders;

-- With a partitioned table go its partitions.
drop table compliance_events, risk_events, system_events, api_access_log, user_activity_log, account_audit, position_audit,
  order_audit, audit_log;

drop function ensure_partitions(integer, boolean);
drop function create_month_partition(regclass, timestamptz);
drop function copy_privileges(regclass, regclass);
drop function keep_event_facts();
drop function audit_account_change();
drop function audit_position_change();
drop function audit_order_change();
drop function audit_row_change();
drop function changed_columns(jsonb, jsonb, text[]);
drop function redact_secrets(jsonb);
drop function current_client_ip();
drop function current_app_session_id();
drop function current_app_user_id();
