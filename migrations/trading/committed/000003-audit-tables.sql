--! Previous: sha1:37a7035332bd8f50053b60525bef26702852e038
--! Hash: sha1:8d2b9a91b1e83fea9a51b7b4b8c4968d2c0a2985
--! Message: audit tables

-- Audit rows name users, orders and accounts without foreign keys: they outlive what they speak of. The large ones are partitioned
-- by month, so that old months are dropped or archived whole; the functions for that stand at the end.

-- Who acts: the application tells by settings (SET LOCAL app.user_id = '…'), the connection tells the rest.

create function current_app_user_id() returns uuid
  language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$ select nullif(current_setting('app.user_id', true), '')::uuid $$;
comment on function current_app_user_id() is
  'User in whose name the application works (setting app.user_id), or null. A malformed one is an error: no change without its author.';

create function current_app_session_id() returns uuid
  language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$ select nullif(current_setting('app.session_id', true), '')::uuid $$;
comment on function current_app_session_id() is 'Session in which the application works (setting app.session_id), or null.';

create function current_client_ip() returns inet
  language sql stable parallel restricted set search_path = pg_catalog, pg_temp
as $$ select coalesce(nullif(current_setting('app.client_ip', true), '')::inet, inet_client_addr()) $$;
comment on function current_client_ip() is 'The person''s address (setting app.client_ip), else that of the connection, which may be a pooler''s.';

-- Written by triggers

create table audit_log (
  id uuid not null default gen_random_uuid(),
  occurred_at timestamptz not null default clock_timestamp(),
  table_name text not null,
  record_id text not null,
  action text not null check (action in ('insert', 'update', 'delete')),
  old_data jsonb,
  new_data jsonb,
  changed_columns text[],
  user_id uuid default current_app_user_id(),
  session_id uuid default current_app_session_id(),
  ip inet default current_client_ip(),
  request_id text default nullif(current_setting('app.request_id', true), ''),
  database_user text not null default session_user,
  application_name text not null default current_setting('application_name'),
  transaction_id xid8 not null default pg_current_xact_id(),
  primary key (id, occurred_at),
  constraint audit_log_data_fits_action check ((action = 'insert') = (old_data is null) and (action = 'delete') = (new_data is null)),
  constraint audit_log_update_names_columns check ((action = 'update') = (changed_columns is not null))
) partition by range (occurred_at);
comment on table audit_log is 'Each change of a table under audit, old and new row as JSON. Written by trigger, append-only, one partition a month.';
comment on column audit_log.record_id is 'Primary key of the row; the parts of a composite key joined by commas.';
comment on column audit_log.changed_columns is 'Columns that an update changed, updated_at and version aside.';
comment on column audit_log.database_user is 'Login that made the change, whatever role it had assumed.';
comment on column audit_log.transaction_id is 'Groups the rows of one transaction.';

create table order_audit (
  id uuid not null default gen_random_uuid(),
  occurred_at timestamptz not null default clock_timestamp(),
  order_id uuid not null,
  account_id uuid not null,
  action text not null check (action in ('insert', 'update', 'delete')),
  old_status text,
  new_status text,
  old_data jsonb,
  new_data jsonb,
  changed_columns text[],
  user_id uuid default current_app_user_id(),
  session_id uuid default current_app_session_id(),
  ip inet default current_client_ip(),
  request_id text default nullif(current_setting('app.request_id', true), ''),
  database_user text not null default session_user,
  transaction_id xid8 not null default pg_current_xact_id(),
  primary key (id, occurred_at),
  constraint order_audit_data_fits_action check ((action = 'insert') = (old_data is null) and (action = 'delete') = (new_data is null))
) partition by range (occurred_at);
comment on table order_audit is 'Each step in an order''s life. Written by trigger, append-only, one partition a month.';

create table position_audit (
  id uuid primary key default gen_random_uuid(),
  occurred_at timestamptz not null default clock_timestamp(),
  position_id uuid not null,
  account_id uuid not null,
  action text not null check (action in ('insert', 'update', 'delete')),
  old_quantity numeric(24,8),
  new_quantity numeric(24,8),
  old_data jsonb,
  new_data jsonb,
  changed_columns text[],
  user_id uuid default current_app_user_id(),
  session_id uuid default current_app_session_id(),
  ip inet default current_client_ip(),
  request_id text default nullif(current_setting('app.request_id', true), ''),
  database_user text not null default session_user,
  transaction_id xid8 not null default pg_current_xact_id(),
  constraint position_audit_data_fits_action check ((action = 'insert') = (old_data is null) and (action = 'delete') = (new_data is null))
);
comment on table position_audit is 'Each change of a position; revaluations alone are not recorded. Written by trigger, append-only.';

create table account_audit (
  id uuid primary key default gen_random_uuid(),
  occurred_at timestamptz not null default clock_timestamp(),
  account_id uuid not null,
  action text not null check (action in ('insert', 'update', 'delete')),
  old_balance numeric(24,8),
  new_balance numeric(24,8),
  old_data jsonb,
  new_data jsonb,
  changed_columns text[],
  user_id uuid default current_app_user_id(),
  session_id uuid default current_app_session_id(),
  ip inet default current_client_ip(),
  request_id text default nullif(current_setting('app.request_id', true), ''),
  database_user text not null default session_user,
  transaction_id xid8 not null default pg_current_xact_id(),
  constraint account_audit_data_fits_action check ((action = 'insert') = (old_data is null) and (action = 'delete') = (new_data is null))
);
comment on table account_audit is 'Each change of an account; revaluations alone are not recorded. Written by trigger, append-only.';

-- Written by the application

create table user_activity_log (
  id uuid not null default gen_random_uuid(),
  occurred_at timestamptz not null default now(),
  user_id uuid not null default current_app_user_id(),
  session_id uuid default current_app_session_id(),
  activity text not null check (activity ~ '^[a-z][a-z_.]{1,63}$'),
  resource_type text,
  resource_id text,
  ip inet default current_client_ip(),
  user_agent text,
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  primary key (id, occurred_at),
  constraint user_activity_log_resource_has_type check (resource_id is null or resource_type is not null)
) partition by range (occurred_at);
comment on table user_activity_log is 'What people did: logins, views, exports, changes of settings. Append-only, one partition a month.';
comment on column user_activity_log.activity is 'Dotted name such as session.login or report.export.';

create table api_access_log (
  id uuid not null default gen_random_uuid(),
  occurred_at timestamptz not null default now(),
  user_id uuid default current_app_user_id(),
  api_key_id uuid,
  request_id text default nullif(current_setting('app.request_id', true), ''),
  method text not null check (method in ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS')),
  path text not null check (path like '/%'),
  status_code smallint not null check (status_code between 100 and 599),
  duration_ms numeric(12,3) not null check (duration_ms >= 0),
  request_bytes bigint check (request_bytes >= 0),
  response_bytes bigint check (response_bytes >= 0),
  ip inet default current_client_ip(),
  user_agent text,
  error_code text,
  primary key (id, occurred_at)
) partition by range (occurred_at);
comment on table api_access_log is 'Each request to the API. Append-only, one partition a month.';
comment on column api_access_log.path is 'Path without its query string, which may carry secrets.';

create table system_events (
  id uuid primary key default gen_random_uuid(),
  occurred_at timestamptz not null default now(),
  severity text not null check (severity in ('debug', 'info', 'warning', 'error', 'critical')),
  component text not null check (component <> ''),
  event_type text not null check (event_type ~ '^[a-z][a-z_.]{1,63}$'),
  message text not null,
  host text,
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object')
);
comment on table system_events is 'What the system did or suffered: starts, deployments, feed losses, failovers. Append-only.';

create table risk_events (
  id uuid primary key default gen_random_uuid(),
  occurred_at timestamptz not null default now(),
  event_type text not null check (event_type in (
    'margin_call', 'stop_out', 'limit_breach', 'exposure', 'concentration', 'volatility', 'price_gap', 'negative_balance', 'circuit_breaker')),
  severity text not null check (severity in ('info', 'warning', 'critical')),
  user_id uuid references users (id),
  account_id uuid references accounts (id),
  instrument_id uuid references instruments (id),
  position_id uuid references positions (id),
  description text not null,
  measured_value numeric(30,8),
  threshold_value numeric(30,8),
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  status text not null default 'open' check (status in ('open', 'acknowledged', 'resolved')),
  acknowledged_by uuid references users (id),
  acknowledged_at timestamptz,
  resolved_at timestamptz,
  updated_at timestamptz not null default now(),
  constraint risk_events_acknowledged_has_time check ((acknowledged_by is null) = (acknowledged_at is null)),
  constraint risk_events_status_has_times check (case status
    when 'open' then acknowledged_at is null and resolved_at is null
    when 'acknowledged' then acknowledged_at is not null and resolved_at is null
    else resolved_at is not null end)
);
comment on table risk_events is 'What risk control noticed. The facts stay, the handling moves on; no row is deleted.';

create table compliance_events (
  id uuid primary key default gen_random_uuid(),
  occurred_at timestamptz not null default now(),
  event_type text not null check (event_type in (
    'kyc_review', 'document_expired', 'sanctions_hit', 'pep_match', 'aml_alert', 'large_transaction', 'market_abuse', 'data_request')),
  severity text not null check (severity in ('info', 'warning', 'critical')),
  user_id uuid references users (id),
  account_id uuid references accounts (id),
  description text not null,
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  status text not null default 'open' check (status in ('open', 'in_review', 'reported', 'closed')),
  assigned_to uuid references users (id),
  due_at timestamptz,
  reported_at timestamptz,
  report_reference text,
  closed_at timestamptz,
  resolution text,
  updated_at timestamptz not null default now(),
  constraint compliance_events_due_after_event check (due_at > occurred_at),
  constraint compliance_events_report_has_reference check ((reported_at is null) = (report_reference is null)),
  constraint compliance_events_reported_has_time check (status <> 'reported' or reported_at is not null),
  constraint compliance_events_closed_has_resolution check (
    (status = 'closed') = (closed_at is not null) and (closed_at is null) = (resolution is null))
);
comment on table compliance_events is 'What compliance must look at or report. The facts stay, the handling moves on; no row is deleted.';
comment on column compliance_events.report_reference is 'The authority''s reference of a filed report.';

-- Indexes: what happened to this row, what did this person do, what happened between two times.

create index audit_log_record_idx on audit_log (table_name, record_id, occurred_at desc);
create index audit_log_user_idx on audit_log (user_id, occurred_at desc) where user_id is not null;
create index audit_log_transaction_idx on audit_log (transaction_id);
create index audit_log_changed_columns_idx on audit_log using gin (changed_columns);
create index audit_log_new_data_idx on audit_log using gin (new_data jsonb_path_ops);
create index audit_log_occurred_brin on audit_log using brin (occurred_at) with (autosummarize = on);
create index order_audit_order_idx on order_audit (order_id, occurred_at);
create index order_audit_account_idx on order_audit (account_id, occurred_at desc);
create index order_audit_occurred_brin on order_audit using brin (occurred_at) with (autosummarize = on);
create index position_audit_position_idx on position_audit (position_id, occurred_at);
create index position_audit_account_idx on position_audit (account_id, occurred_at desc);
create index position_audit_occurred_brin on position_audit using brin (occurred_at) with (autosummarize = on);
create index account_audit_account_idx on account_audit (account_id, occurred_at desc);
create index account_audit_occurred_brin on account_audit using brin (occurred_at) with (autosummarize = on);
create index user_activity_log_user_idx on user_activity_log (user_id, occurred_at desc);
create index user_activity_log_activity_idx on user_activity_log (activity, occurred_at desc);
create index user_activity_log_session_idx on user_activity_log (session_id) where session_id is not null;
create index user_activity_log_ip_idx on user_activity_log (ip, occurred_at desc);
create index user_activity_log_occurred_brin on user_activity_log using brin (occurred_at) with (autosummarize = on);
create index api_access_log_user_idx on api_access_log (user_id, occurred_at desc) where user_id is not null;
create index api_access_log_key_idx on api_access_log (api_key_id, occurred_at desc) where api_key_id is not null;
create index api_access_log_path_idx on api_access_log (path, occurred_at desc);
create index api_access_log_failed_idx on api_access_log (status_code, occurred_at desc) where status_code >= 400;
create index api_access_log_request_idx on api_access_log (request_id) where request_id is not null;
create index api_access_log_occurred_brin on api_access_log using brin (occurred_at) with (autosummarize = on);
create index system_events_component_idx on system_events (component, occurred_at desc);
create index system_events_serious_idx on system_events (severity, occurred_at desc) where severity in ('error', 'critical');
create index system_events_details_idx on system_events using gin (details jsonb_path_ops);
create index system_events_occurred_brin on system_events using brin (occurred_at) with (autosummarize = on);
create index risk_events_open_idx on risk_events (severity, occurred_at desc) where status <> 'resolved';
create index risk_events_user_idx on risk_events (user_id) where user_id is not null;
create index risk_events_account_idx on risk_events (account_id, occurred_at desc) where account_id is not null;
create index risk_events_instrument_idx on risk_events (instrument_id) where instrument_id is not null;
create index risk_events_position_idx on risk_events (position_id) where position_id is not null;
create index risk_events_acknowledged_by_idx on risk_events (acknowledged_by) where acknowledged_by is not null;
create index risk_events_details_idx on risk_events using gin (details jsonb_path_ops);
create index compliance_events_open_idx on compliance_events (due_at, severity) where status <> 'closed';
create index compliance_events_user_idx on compliance_events (user_id, occurred_at desc) where user_id is not null;
create index compliance_events_account_idx on compliance_events (account_id) where account_id is not null;
create index compliance_events_assigned_to_idx on compliance_events (assigned_to) where assigned_to is not null;
create index compliance_events_details_idx on compliance_events using gin (details jsonb_path_ops);

-- Triggers that write the audit

create function redact_secrets(row_data jsonb) returns jsonb
  language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
as $$
  -- By the column's name, so that a table put under audit later is covered too. Null stays null: set or not set may be seen.
  select jsonb_object_agg(key, case
    when key ~ '(^|_)(hash|secret|password|credentials)$' and value <> 'null'::jsonb then '"[redacted]"'::jsonb
    else value end)
  from jsonb_each(row_data)
$$;
comment on function redact_secrets(jsonb) is 'A row as JSON with password hashes, key hashes, secrets and credentials replaced by "[redacted]".';

create function changed_columns(old_data jsonb, new_data jsonb, ignored text[]) returns text[]
  language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(key order by key), '{}')
  from jsonb_each(new_data)
  where value is distinct from old_data -> key
    and key <> all (ignored) and key not in ('updated_at', 'version')
$$;
comment on function changed_columns(jsonb, jsonb, text[]) is
  'Names of the columns in which two versions of a row differ, the ignored ones, updated_at and version aside.';

-- Definer's rights: a change is recorded for logins that may not write to the audit themselves.

create function audit_row_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
  old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  changed text[] := changed_columns(old_row, new_row, string_to_array(coalesce(tg_argv[1], ''), ','));
  record_key text;
begin
  if changed = '{}' then
    return null;
  end if;
  select string_agg(coalesce(new_row, old_row) ->> key_column, ',' order by position) into record_key
  from unnest(string_to_array(tg_argv[0], ',')) with ordinality as key (key_column, position);
  insert into audit_log (table_name, record_id, action, old_data, new_data, changed_columns)
  values (tg_table_name, record_key, lower(tg_op), redact_secrets(old_row), redact_secrets(new_row), changed);
  return null;
end
$$;
comment on function audit_row_change() is
  'Trigger: writes audit_log. Arguments: columns of the primary key, then columns whose change alone is not recorded, comma-separated.';

create function audit_order_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
  old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  changed text[] := changed_columns(old_row, new_row, '{}');
begin
  if changed = '{}' then
    return null;
  end if;
  insert into order_audit (order_id, account_id, action, old_status, new_status, old_data, new_data, changed_columns)
  values (coalesce(new.id, old.id), coalesce(new.account_id, old.account_id), lower(tg_op), old.status, new.status,
    old_row, new_row, changed);
  return null;
end
$$;
comment on function audit_order_change() is 'Trigger: writes order_audit.';

create function audit_position_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
  old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  changed text[] := changed_columns(old_row, new_row, array['current_price', 'unrealized_pnl', 'margin_used']);
begin
  if changed = '{}' then
    return null;
  end if;
  insert into position_audit (position_id, account_id, action, old_quantity, new_quantity, old_data, new_data, changed_columns)
  values (coalesce(new.id, old.id), coalesce(new.account_id, old.account_id), lower(tg_op), old.quantity, new.quantity,
    old_row, new_row, changed);
  return null;
end
$$;
comment on function audit_position_change() is 'Trigger: writes position_audit, except when a revaluation is all that changed.';

create function audit_account_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
  old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  changed text[] := changed_columns(old_row, new_row, array['unrealized_pnl', 'margin_used', 'equity', 'free_margin']);
begin
  if changed = '{}' then
    return null;
  end if;
  insert into account_audit (account_id, action, old_balance, new_balance, old_data, new_data, changed_columns)
  values (coalesce(new.id, old.id), lower(tg_op), old.balance, new.balance, old_row, new_row, changed);
  return null;
end
$$;
comment on function audit_account_change() is 'Trigger: writes account_audit, except when a revaluation is all that changed.';

create trigger audit_change after insert or update or delete on orders for each row execute function audit_order_change();
create trigger audit_change after insert or update or delete on positions for each row execute function audit_position_change();
create trigger audit_change after insert or update or delete on accounts for each row execute function audit_account_change();
create trigger audit_change after insert or update or delete on users
  for each row execute function audit_row_change('id', 'last_login_at,last_login_ip');
create trigger audit_change after insert or update or delete on roles for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on role_permissions
  for each row execute function audit_row_change('role_id,permission_id');
create trigger audit_change after insert or update or delete on user_roles
  for each row execute function audit_row_change('user_id,role_id');
create trigger audit_change after insert or update or delete on api_keys
  for each row execute function audit_row_change('id', 'last_used_at,last_used_ip');
create trigger audit_change after insert or update or delete on payments for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on instruments for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on risk_events for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on compliance_events for each row execute function audit_row_change('id');

-- Facts of an event stay

create function keep_event_facts() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if to_jsonb(new) - tg_argv::text[] is distinct from to_jsonb(old) - tg_argv::text[] then
    raise exception 'facts of % % do not change', tg_table_name, old.id
      using errcode = 'restrict_violation', hint = 'Only these columns may change: ' || array_to_string(tg_argv::text[], ', ');
  end if;
  return new;
end
$$;
comment on function keep_event_facts() is 'Trigger: of an event''s row only the columns named as arguments may change.';

create trigger keep_event_facts before update on risk_events for each row
  execute function keep_event_facts('status', 'acknowledged_by', 'acknowledged_at', 'resolved_at', 'updated_at');
create trigger keep_event_facts before update on compliance_events for each row
  execute function keep_event_facts(
    'status', 'assigned_to', 'due_at', 'reported_at', 'report_reference', 'closed_at', 'resolution', 'updated_at');
create trigger set_updated_at before update on risk_events for each row execute function set_updated_at();
create trigger set_updated_at before update on compliance_events for each row execute function set_updated_at();

-- Append-only, by privilege and by trigger. What only triggers write, nobody else may insert either.

do $$
declare
  log text;
begin
  foreach log in array array['audit_log', 'order_audit', 'position_audit', 'account_audit'] loop
    perform revoke_from_grantees(log::regclass, array['INSERT']);
  end loop;
  foreach log in array array[
    'audit_log', 'order_audit', 'position_audit', 'account_audit', 'user_activity_log', 'api_access_log', 'system_events'
  ] loop
    perform revoke_from_grantees(log::regclass, array['UPDATE', 'DELETE', 'TRUNCATE']);
    execute format('create trigger reject_row_change before update or delete on %I for each row execute function reject_row_change()', log);
    execute format('create trigger reject_truncate before truncate on %I for each statement execute function reject_row_change()', log);
  end loop;
  foreach log in array array['risk_events', 'compliance_events'] loop
    perform revoke_from_grantees(log::regclass, array['DELETE', 'TRUNCATE']);
    execute format('create trigger reject_row_change before delete on %I for each row execute function reject_row_change()', log);
    execute format('create trigger reject_truncate before truncate on %I for each statement execute function reject_row_change()', log);
  end loop;
end
$$;

-- Partitions

create function copy_privileges(source regclass, target regclass) returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  held record;
begin
  perform public.revoke_from_grantees(target,
    array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']);
  for held in
    select acl.privilege_type, coalesce(quote_ident(role.rolname), 'public') as grantee
    from pg_class as class
    cross join lateral aclexplode(class.relacl) as acl
    left join pg_roles as role on role.oid = acl.grantee
    where class.oid = source and acl.grantee <> class.relowner
  loop
    execute format('grant %s on table %s to %s', held.privilege_type, target, held.grantee);
  end loop;
end
$$;
comment on function copy_privileges(regclass, regclass) is
  'Gives a table exactly the privileges of another. For partitions, which default privileges would open wider than their parent.';

create function create_month_partition(parent regclass, month_start timestamptz) returns void
  language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
  month_end constant timestamptz := month_start + interval '1 month';
  maintenance constant text := coalesce(current_setting('app.maintenance', true), '');
  key_column name;
  default_partition regclass;
  partition text;
  columns text;
begin
  select attribute.attname, partitioned.partdefid, format('public.%I', class.relname || to_char(month_start, '"_"YYYY_MM'))
  into strict key_column, default_partition, partition
  from pg_partitioned_table as partitioned
  join pg_class as class on class.oid = partitioned.partrelid
  join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = partitioned.partattrs[0]
  where partitioned.partrelid = parent;

  select string_agg(quote_ident(attname), ', ' order by attnum) into columns
  from pg_attribute where attrelid = parent and attnum > 0 and not attisdropped and attgenerated = '';

  -- Made apart and attached: CREATE TABLE ... PARTITION OF would lock the parent against all reads.
  execute format('create table %s (like %s including all)', partition, parent);
  execute format('alter table %s owner to %I', partition, (select pg_get_userbyid(relowner) from pg_class where oid = parent));
  execute format('comment on table %s is %L', partition, format('%s of %s (UTC)', parent, to_char(month_start, 'YYYY-MM')));

  -- Rows that came before their partition lie in the default one; nothing may be added there while they move.
  execute format('lock table %s in access exclusive mode', default_partition);
  perform set_config('app.maintenance', 'on', true);
  execute format(
    'with moved as (delete from %1$s where %2$I >= %3$L and %2$I < %4$L returning %5$s) insert into %6$s (%5$s) select %5$s from moved',
    default_partition, key_column, month_start, month_end, columns, partition);
  perform set_config('app.maintenance', maintenance, true);
  execute format('alter table %s attach partition %s for values from (%L) to (%L)', parent, partition, month_start, month_end);
  perform public.copy_privileges(parent, partition::regclass);
end
$$;
comment on function create_month_partition(regclass, timestamptz) is
  'Makes the partition of one month (UTC) and moves that month''s rows there from the default partition.';

create function ensure_partitions(months_ahead integer, dry_run boolean default false) returns setof text
  language plpgsql
  set search_path = pg_catalog, pg_temp
  set timezone = 'UTC'
  -- A partition that has to wait is made by the next run; writers queueing behind it would be worse.
  set lock_timeout = '10s'
as $$
declare
  parent regclass;
  month_start timestamptz;
  partition name;
begin
  if months_ahead is null or months_ahead not between 0 and 60 then
    raise exception 'months_ahead is %, it must be from 0 to 60', coalesce(months_ahead::text, 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if not dry_run then
    perform pg_advisory_xact_lock(hashtextextended('public.ensure_partitions', 0));
  end if;
  for parent, month_start, partition in
    select class.oid, month, class.relname || to_char(month, '"_"YYYY_MM')
    from pg_partitioned_table as partitioned
    join pg_class as class on class.oid = partitioned.partrelid
    join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum = partitioned.partattrs[0]
    cross join generate_series(
      date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => months_ahead), interval '1 month') as month
    where class.relnamespace = 'public'::regnamespace
      and partitioned.partstrat = 'r' and partitioned.partnatts = 1 and partitioned.partdefid <> 0
      and attribute.atttypid = 'timestamptz'::regtype
    order by class.relname, month
  loop
    continue when exists (
      select from pg_inherits join pg_class as class on class.oid = inhrelid where inhparent = parent and class.relname = partition);
    if not dry_run then
      perform public.create_month_partition(parent, month_start);
    end if;
    return next partition;
  end loop;
end
$$;
comment on function ensure_partitions(integer, boolean) is
  'Makes the missing partitions of this month and the next months_ahead for every table in public that is partitioned by range of one '
  'timestamptz and has a default partition; returns their names. With dry_run it only tells. Any number of callers at once.';

select restrict_to_owner('audit_row_change()'),
       restrict_to_owner('audit_order_change()'),
       restrict_to_owner('audit_position_change()'),
       restrict_to_owner('audit_account_change()'),
       restrict_to_owner('copy_privileges(regclass, regclass)'),
       restrict_to_owner('create_month_partition(regclass, timestamptz)'),
       restrict_to_owner('ensure_partitions(integer, boolean)');

create table audit_log_default partition of audit_log default;
comment on table audit_log_default is 'Rows of audit_log in months that have no partition yet.';
create table order_audit_default partition of order_audit default;
comment on table order_audit_default is 'Rows of order_audit in months that have no partition yet.';
create table user_activity_log_default partition of user_activity_log default;
comment on table user_activity_log_default is 'Rows of user_activity_log in months that have no partition yet.';
create table api_access_log_default partition of api_access_log default;
comment on table api_access_log_default is 'Rows of api_access_log in months that have no partition yet.';

select copy_privileges('audit_log', 'audit_log_default'),
       copy_privileges('order_audit', 'order_audit_default'),
       copy_privileges('user_activity_log', 'user_activity_log_default'),
       copy_privileges('api_access_log', 'api_access_log_default');

select ensure_partitions(3);
