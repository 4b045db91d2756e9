--! Previous: sha1:7ecc10ad77273b4e2eb33765540a94c772dba8f6
--! Hash: sha1:d1fb2bd15cfb3a29c56df37d04c8173ac94d8c64
--! Message: admin logs

-- Who acts: the application tells by settings (SET LOCAL app.admin_user_id = '…'), the connection tells the rest.

create function current_admin_user_id() returns uuid
  language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$ select nullif(current_setting('app.admin_user_id', true), '')::uuid $$;
comment on function current_admin_user_id() is
  'Administrator in whose name the application works (setting app.admin_user_id), or null. A malformed one is an error: no change without its author.';

create function current_client_ip() returns inet
  language sql stable parallel restricted set search_path = pg_catalog, pg_temp
as $$ select coalesce(nullif(current_setting('app.client_ip', true), '')::inet, inet_client_addr()) $$;
comment on function current_client_ip() is 'The person''s address (setting app.client_ip), else that of the connection, which may be a pooler''s.';

create table admin_logs (
  id uuid primary key default gen_random_uuid(),
  timestamp timestamptz not null default clock_timestamp(),
  admin_user_id uuid default current_admin_user_id() references admin_users (id),
  action text not null check (action ~ '^[a-z][a-z_]*\.[a-z][a-z_]*$'),
  outcome text not null default 'succeeded' check (outcome in ('succeeded', 'denied', 'failed')),
  target_type text check (target_type ~ '^[a-z][a-z_]*$'),
  target_id text check (target_id <> ''),
  reason text,
  old_data jsonb,
  new_data jsonb,
  changed_columns text[],
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  ip inet default current_client_ip(),
  user_agent text,
  request_id text default nullif(current_setting('app.request_id', true), ''),
  database_user text not null default session_user,
  constraint admin_logs_target_has_type check (target_id is null or target_type is not null),
  constraint admin_logs_change_has_target check (num_nonnulls(old_data, new_data) = 0 or target_id is not null)
);
comment on table admin_logs is
  'What administrators did. Changes of rows are written by trigger, with the old and the new row; logins, views and exports by the application. Append-only.';
comment on column admin_logs.admin_user_id is 'Null where the change came from no administration: a migration, a seed, a hand at the console.';
comment on column admin_logs.action is 'Kind of thing and what was done to it: assets.update, session.login, report.export.';
comment on column admin_logs.changed_columns is 'Columns that an update changed, updated_at aside.';
comment on column admin_logs.database_user is 'Login that made the change, whatever role it had assumed.';

create index idx_admin_logs_timestamp on admin_logs (timestamp desc);
create index admin_logs_admin_idx on admin_logs (admin_user_id, timestamp desc) where admin_user_id is not null;
create index admin_logs_target_idx on admin_logs (target_type, target_id, timestamp desc) where target_id is not null;
create index admin_logs_action_idx on admin_logs (action, timestamp desc);
select make_append_only('admin_logs');

create function redact_secrets(row_data jsonb) returns jsonb
  language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
as $$
  -- By the column's name, so that a table put under audit later is covered too. Null stays null: set or not set may be seen.
  select jsonb_object_agg(key, case
    when key ~ '(^|_)(hash|secret|password|credentials)$' and value <> 'null'::jsonb then '"[redacted]"'::jsonb
    else value end)
  from jsonb_each(row_data)
$$;
comment on function redact_secrets(jsonb) is 'A row as JSON with hashes, secrets and credentials replaced by "[redacted]".';

create function audit_row_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
  old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - 'search' end;
  new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - 'search' end;
  ignored text[] := string_to_array(coalesce(tg_argv[1], ''), ',') || '{updated_at}'::text[];
  changed text[];
  target text;
begin
  if tg_op = 'UPDATE' then
    select coalesce(array_agg(key order by key), '{}') into changed
    from jsonb_each(new_row) where value is distinct from old_row -> key and key <> all (ignored);
    if changed = '{}' then
      return null;
    end if;
  end if;
  select string_agg(coalesce(new_row, old_row) ->> key_column, ',' order by position) into target
  from unnest(string_to_array(tg_argv[0], ',')) with ordinality as key (key_column, position);
  insert into admin_logs (action, target_type, target_id, old_data, new_data, changed_columns)
  values (tg_table_name || '.' || lower(tg_op), tg_table_name, target, redact_secrets(old_row), redact_secrets(new_row), changed);
  return null;
end
$$;
comment on function audit_row_change() is
  'Trigger: writes admin_logs. Arguments: columns of the primary key, then columns whose change alone is not recorded, comma-separated.';
-- Definer's rights: a change is recorded for logins that may not write to the log themselves.
select restrict_to_owner('audit_row_change()');

-- What is the administration's alone is always recorded; what users change themselves only when an administrator does it.
create trigger audit_change after insert or update or delete on admin_users
  for each row execute function audit_row_change('id', 'last_login_at,last_login_ip');
create trigger audit_change after insert or update or delete on admin_permissions
  for each row execute function audit_row_change('role,resource,action');
create trigger audit_change after insert or update or delete on user_tiers for each row execute function audit_row_change('code');
create trigger audit_change after insert or update or delete on assets
  for each row execute function audit_row_change('id', 'raised_amount');
create trigger audit_change after insert or update or delete on users for each row when (current_admin_user_id() is not null)
  execute function audit_row_change('id', 'last_login_at');
create trigger audit_change after insert or update or delete on user_profiles for each row when (current_admin_user_id() is not null)
  execute function audit_row_change('user_id');
create trigger audit_change after insert or update or delete on kyc_applications for each row when (current_admin_user_id() is not null)
  execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on kyc_documents for each row when (current_admin_user_id() is not null)
  execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on investments for each row when (current_admin_user_id() is not null)
  execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on transactions for each row when (current_admin_user_id() is not null)
  execute function audit_row_change('id');
