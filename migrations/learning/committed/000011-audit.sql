--! Previous: sha1:4a61ec7755dda7b316240825aab54ff65bba21ba
--! Hash: sha1:7c0885020e9414ecd5dcc25c6d35a9d2a3cd3065
--! Message: audit

create table audit_log (
  id uuid primary key default gen_random_uuid(),
  occurred_at timestamptz not null default clock_timestamp(),
  table_name text not null,
  record_id text not null,
  action text not null check (action in ('insert', 'update', 'delete')),
  old_data jsonb,
  new_data jsonb,
  changed_columns text[],
  user_id uuid default nullif(current_setting('app.user_id', true), '')::uuid,
  request_id text default nullif(current_setting('app.request_id', true), ''),
  ip inet default coalesce(nullif(current_setting('app.client_ip', true), '')::inet, inet_client_addr()),
  database_user text not null default session_user,
  transaction_id xid8 not null default pg_current_xact_id(),
  constraint audit_log_data_fits_action check ((action = 'insert') = (old_data is null) and (action = 'delete') = (new_data is null)),
  constraint audit_log_update_names_columns check ((action = 'update') = (changed_columns is not null))
);
comment on table audit_log is
  'Each change of people, of content and of grades, old and new row as JSON. Written by trigger, append-only. Names rows without foreign keys: it outlives them.';
comment on column audit_log.record_id is 'Primary key of the row; the parts of a composite key joined by commas.';
comment on column audit_log.user_id is 'In whose name the application works (SET LOCAL app.user_id = ''…'').';
comment on column audit_log.database_user is 'Login that made the change, whatever role it had assumed.';

create index audit_log_record_idx on audit_log (table_name, record_id, occurred_at desc);
create index audit_log_user_idx on audit_log (user_id, occurred_at desc) where user_id is not null;
create index audit_log_occurred_brin on audit_log using brin (occurred_at) with (autosummarize = on);

-- Definer's rights, so that a change is recorded for logins that may not write to the audit themselves.

create function redact_row(row_data jsonb) returns jsonb
  language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
as $$
  -- By the column's name, so that a table put under audit later is covered too. Null stays null: set or not set may be seen. What
  -- says who a person is goes as well: the audit outlives an erasure.
  select jsonb_object_agg(key, case
    when value <> 'null'::jsonb
      and (key ~ '(^|_)(hash|secret|password|credentials)$' or key in ('email', 'display_name', 'identity_subject', 'text_answer'))
    then '"[redacted]"'::jsonb
    else value end)
  from jsonb_each(row_data)
$$;
comment on function redact_row(jsonb) is 'A row as JSON with secrets, and what says who a person is, replaced by "[redacted]".';

create function audit_row_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
  -- Search vectors follow from other columns.
  old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - 'search' end;
  new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - 'search' end;
  changed text[];
  record_key text;
begin
  if tg_op = 'UPDATE' then
    select coalesce(array_agg(key order by key), '{}') into changed
    from jsonb_each(new_row)
    where value is distinct from old_row -> key and key <> 'updated_at' and key <> all (string_to_array(coalesce(tg_argv[1], ''), ','));
    if changed = '{}' then
      return null;
    end if;
  end if;
  select string_agg(coalesce(new_row, old_row) ->> key_column, ',' order by position) into record_key
  from unnest(string_to_array(tg_argv[0], ',')) with ordinality as key (key_column, position);
  insert into audit_log (table_name, record_id, action, old_data, new_data, changed_columns)
  values (tg_table_name, record_key, lower(tg_op), redact_row(old_row), redact_row(new_row), changed);
  return null;
end
$$;
comment on function audit_row_change() is
  'Trigger: writes audit_log. Arguments: columns of the primary key, then columns whose change alone is not recorded, comma-separated.';
select restrict_to_owner('audit_row_change()');

create trigger audit_change after insert or update or delete on users
  for each row execute function audit_row_change('id', 'last_login_at,failed_login_attempts');
create trigger audit_change after insert or update or delete on courses for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on lessons for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on assessments for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on questions for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on question_options for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on assessment_questions
  for each row execute function audit_row_change('assessment_id,question_id');
-- Of attempts and answers only what happens after the first grading: complaints and corrections.
create trigger audit_regrading after update on assessment_attempts
  for each row when (old.status = 'graded') execute function audit_row_change('id');
create trigger audit_regrading after update on attempt_answers
  for each row when (old.points_awarded is not null) execute function audit_row_change('attempt_id,question_id');
create trigger audit_deletion after delete on assessment_attempts for each row execute function audit_row_change('id');

select revoke_from_grantees('audit_log', array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']);
create trigger reject_row_change before update or delete on audit_log for each row execute function reject_row_change();
create trigger reject_truncate before truncate on audit_log for each statement execute function reject_row_change();
