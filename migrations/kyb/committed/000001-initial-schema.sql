--! Previous: -
--! Hash: sha1:d7b1270562bbf242b92d0f09d4f157bd47ba9da6
--! Message: initial schema

-- Scores are numeric(5,2) from 0 to 100, confidences numeric(5,4) from 0 to 1, money numeric(18,2) beside its currency: exact. Times are
-- timestamptz. Values from a closed list are text with a check, because a check is changed in one statement and an enum value is never
-- taken away again.
--
-- Businesses and the people who know them are never deleted, since what was found out about them has to be shown to an authority years
-- later: deleted_at hides them, and no foreign key deletes with them.

do $$
declare
  needed text;
begin
  foreach needed in array array['pg_trgm', 'btree_gist'] loop
    if not exists (select from pg_extension where extname = needed) then
      raise exception 'extension % is missing in database %', needed, current_database()
        using hint = format('An administrator runs CREATE EXTENSION %s; the extensions needed stand in database.json.', needed);
    end if;
  end loop;
end
$$;

-- Shared functions

create function set_updated_at() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function set_updated_at() is 'Trigger: stamps updated_at with the time of the transaction.';

create function in_maintenance(relation oid) returns boolean
  language sql stable set search_path = pg_catalog, pg_temp
as $$
  -- The owner could disable triggers anyway; the setting makes that a deliberate act within one transaction.
  select coalesce(current_setting('app.maintenance', true), '') = 'on'
    and pg_has_role(current_user, (select relowner from pg_class where oid = relation), 'usage')
$$;
comment on function in_maintenance(oid) is
  'Whether a table''s owner declared maintenance (SET LOCAL app.maintenance = ''on''): imports of finished work and corrections.';

create function reject_row_change() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if in_maintenance(tg_relid) then
    return coalesce(new, old);
  end if;
  raise exception '% on % is not allowed: the table is append-only', tg_op, tg_table_name
    using errcode = 'restrict_violation',
          hint = 'Insert a correcting row. For maintenance the table''s owner sets app.maintenance = ''on'' in its transaction.';
end
$$;
comment on function reject_row_change() is 'Trigger: keeps a table append-only for everyone but its owner in declared maintenance.';

create function revoke_from_grantees(relation regclass, revoked text[]) returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  held record;
begin
  for held in
    select acl.privilege_type, coalesce(quote_ident(role.rolname), 'public') as grantee
    from pg_class as class
    cross join lateral aclexplode(class.relacl) as acl
    left join pg_roles as role on role.oid = acl.grantee
    where class.oid = relation and acl.grantee <> class.relowner and acl.privilege_type = any (revoked)
  loop
    execute format('revoke %s on table %s from %s', held.privilege_type, relation, held.grantee);
  end loop;
end
$$;
comment on function revoke_from_grantees(regclass, text[]) is
  'Takes the named privileges on a table from everyone but its owner. Reads who holds them, so it fits any role names.';

create function restrict_to_owner(routine regprocedure) returns void
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  held record;
begin
  for held in
    select distinct coalesce(quote_ident(role.rolname), 'public') as grantee
    from pg_proc as proc
    cross join lateral aclexplode(coalesce(proc.proacl, acldefault('f', proc.proowner))) as acl
    left join pg_roles as role on role.oid = acl.grantee
    where proc.oid = routine and acl.grantee <> proc.proowner
  loop
    execute format('revoke all on function %s from %s', routine, held.grantee);
  end loop;
end
$$;
comment on function restrict_to_owner(regprocedure) is
  'Takes EXECUTE on a function from everyone but its owner. Triggers still fire: that needs no EXECUTE.';

create function keep_facts() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if to_jsonb(new) - tg_argv::text[] is distinct from to_jsonb(old) - tg_argv::text[] and not in_maintenance(tg_relid) then
    raise exception 'facts of % % do not change', tg_table_name, old.id
      using errcode = 'restrict_violation', hint = 'Only these columns may change: ' || array_to_string(tg_argv::text[], ', ');
  end if;
  return new;
end
$$;
comment on function keep_facts() is 'Trigger: of a row only the columns named as arguments may change.';

select restrict_to_owner('reject_row_change()'),
       restrict_to_owner('revoke_from_grantees(regclass, text[])'),
       restrict_to_owner('restrict_to_owner(regprocedure)');

-- People and keys

create table users (
  id uuid primary key default gen_random_uuid(),
  email text not null check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' and length(email) <= 254),
  username text not null check (username ~ '^[a-z0-9][a-z0-9_.-]{2,49}$'),
  password_hash text not null
    constraint users_password_hash_bcrypt check (password_hash ~ '^\$2[aby]\$(1[0-9]|2[0-9]|3[01])\$[./A-Za-z0-9]{53}$'),
  full_name text not null check (full_name <> ''),
  company text not null default '',
  status text not null default 'pending' check (status in ('pending', 'active', 'suspended', 'closed')),
  email_verified_at timestamptz,
  failed_login_attempts integer not null default 0 check (failed_login_attempts >= 0),
  locked_until timestamptz,
  last_login_at timestamptz,
  last_login_ip inet,
  password_changed_at timestamptz not null default now(),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint users_deleted_after_creation check (deleted_at >= created_at),
  constraint users_active_is_verified check (status <> 'active' or email_verified_at is not null),
  constraint users_deleted_is_closed check (deleted_at is null or status = 'closed')
);
comment on table users is 'People who log in: administrators, compliance officers, analysts and customers. Never deleted; deleted_at hides them.';
comment on column users.password_hash is 'bcrypt, cost 10 or more. Redacted in audit rows.';
comment on column users.company is 'For whom the person works, as they say; businesses under review stand in businesses.';
comment on column users.locked_until is 'No login before this time, set after too many failed attempts.';
comment on column users.deleted_at is 'Soft delete: email and username become free for another user.';

create unique index users_email_key on users (email) where deleted_at is null;
create unique index users_username_key on users (username) where deleted_at is null;

create table email_verification_tokens (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  email text not null check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$'),
  token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  constraint email_verification_tokens_expires_after_creation check (expires_at > created_at),
  constraint email_verification_tokens_used_in_time check (used_at between created_at and expires_at)
);
comment on table email_verification_tokens is 'One-time tokens that prove an address.';
comment on column email_verification_tokens.email is 'The address to be proved; a changed one is proved before it becomes the user''s.';
comment on column email_verification_tokens.token_hash is 'SHA-256 of the token in hex; the token itself is never stored.';

create table password_reset_tokens (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
  requested_ip inet,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz,
  constraint password_reset_tokens_expires_after_creation check (expires_at > created_at),
  constraint password_reset_tokens_used_in_time check (used_at between created_at and expires_at)
);
comment on table password_reset_tokens is 'One-time tokens for setting a new password.';
comment on column password_reset_tokens.token_hash is 'SHA-256 of the token in hex; the token itself is never stored.';

create table token_blacklist (
  token_id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  token_type text not null check (token_type in ('access', 'refresh')),
  reason text not null check (reason in ('logout', 'password_change', 'rotation', 'admin', 'suspicious')),
  blacklisted_at timestamptz not null default now(),
  expires_at timestamptz not null,
  constraint token_blacklist_expires_after_blacklisting check (expires_at > blacklisted_at)
);
comment on table token_blacklist is 'JSON Web Tokens that are refused though they have not expired.';
comment on column token_blacklist.token_id is 'The token''s claim jti.';
comment on column token_blacklist.expires_at is 'The token''s claim exp: after it the row has done its work, see delete_expired_tokens().';

create table api_keys (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id),
  name text not null check (name <> '' and length(name) <= 100),
  key_prefix text not null unique check (key_prefix ~ '^[A-Za-z0-9_]{8,16}$'),
  key_hash text not null unique check (key_hash ~ '^[0-9a-f]{64}$'),
  environment text not null default 'live' check (environment in ('live', 'test')),
  allowed_networks cidr[] not null default '{}',
  rate_limit_per_minute integer not null default 60 check (rate_limit_per_minute between 1 and 100000),
  request_count bigint not null default 0 check (request_count >= 0),
  last_used_at timestamptz,
  last_used_ip inet,
  expires_at timestamptz constraint api_keys_expires_after_creation check (expires_at > created_at),
  revoked_at timestamptz constraint api_keys_revoked_after_creation check (revoked_at >= created_at),
  revoked_by uuid references users (id),
  revoke_reason text check (revoke_reason <> ''),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint api_keys_revoked_has_reason check ((revoked_at is null) = (revoke_reason is null)),
  constraint api_keys_revoker_revoked check (revoked_by is null or revoked_at is not null),
  constraint api_keys_used_is_counted check ((last_used_at is null) = (request_count = 0))
);
comment on table api_keys is 'Keys with which programs call the API in a user''s name. Revoked ones stay, for the audit.';
comment on column api_keys.key_prefix is 'First characters of the key, by which people tell keys apart.';
comment on column api_keys.key_hash is 'SHA-256 of the whole key in hex; the key itself is shown once and never stored.';
comment on column api_keys.allowed_networks is 'From where the key may be used; empty for anywhere.';
comment on column api_keys.request_count is 'Requests so far, counted up in batches by the application.';

-- Businesses

create table industry_codes (
  code_system text not null check (code_system in ('NAICS', 'SIC', 'MCC')),
  code text not null check (code ~ '^[0-9]{2,6}$'),
  title text not null check (title <> ''),
  inherent_risk text not null default 'low' check (inherent_risk in ('low', 'medium', 'high')),
  is_prohibited boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (code_system, code),
  constraint industry_codes_prohibited_is_high check (not is_prohibited or inherent_risk = 'high')
);
comment on table industry_codes is 'Catalogue of industries by NAICS 2022, SIC and merchant category codes, with the risk that they bring.';
comment on column industry_codes.inherent_risk is 'Risk of the industry itself, before anything is known about a business.';
comment on column industry_codes.is_prohibited is 'The platform does not take businesses of this industry.';

create table businesses (
  id uuid primary key default gen_random_uuid(),
  legal_name text not null check (legal_name <> '' and length(legal_name) <= 300),
  trade_name text check (trade_name <> ''),
  registration_country text not null check (registration_country ~ '^[A-Z]{2}$'),
  registration_number text not null check (registration_number ~ '^[A-Z0-9][A-Z0-9./-]{0,39}$'),
  tax_id text check (tax_id ~ '^[A-Z0-9][A-Z0-9./-]{0,39}$'),
  legal_form text not null check (legal_form in (
    'sole_proprietor', 'partnership', 'limited_company', 'public_company', 'cooperative', 'nonprofit', 'trust', 'government', 'other')),
  founded_on date,
  employee_count integer check (employee_count >= 0),
  annual_revenue numeric(18,2) check (annual_revenue >= 0),
  revenue_currency text check (revenue_currency ~ '^[A-Z]{3}$'),
  contact_name text check (contact_name <> ''),
  contact_email text check (contact_email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$'),
  contact_phone text check (contact_phone ~ '^\+[1-9][0-9]{5,14}$'),
  website_url text check (website_url ~ '^https?://'),
  address_line text check (address_line <> ''),
  city text check (city <> ''),
  region text check (region <> ''),
  postal_code text check (postal_code <> ''),
  country_code text not null check (country_code ~ '^[A-Z]{2}$'),
  status text not null default 'draft' check (status in ('draft', 'pending_review', 'active', 'suspended', 'rejected', 'closed')),
  status_reason text check (status_reason <> ''),
  compliance_status text not null default 'not_checked'
    check (compliance_status in ('not_checked', 'pending', 'compliant', 'under_review', 'non_compliant')),
  risk_score numeric(5,2) check (risk_score between 0 and 100),
  risk_level text check (risk_level in ('low', 'medium', 'high', 'critical')),
  risk_assessed_at timestamptz,
  next_review_at timestamptz,
  created_by uuid not null references users (id),
  assigned_to uuid references users (id),
  submitted_at timestamptz,
  verified_at timestamptz,
  closed_at timestamptz,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint businesses_deleted_after_creation check (deleted_at >= created_at),
  constraint businesses_revenue_has_currency check ((annual_revenue is null) = (revenue_currency is null)),
  constraint businesses_risk_complete check (num_nonnulls(risk_score, risk_level, risk_assessed_at, next_review_at) in (0, 4)),
  constraint businesses_submitted_has_time check (status in ('draft', 'closed') or submitted_at is not null),
  constraint businesses_active_is_verified check (status not in ('active', 'suspended') or (verified_at is not null and risk_level is not null)),
  constraint businesses_closed_has_time check ((status = 'closed') = (closed_at is not null)),
  constraint businesses_refused_has_reason check (status not in ('suspended', 'rejected') or status_reason is not null),
  constraint businesses_deleted_is_closed check (deleted_at is null or status = 'closed')
);
comment on table businesses is 'Businesses that are being looked into, with their registration, contact, status, and what their risk and compliance come to today.';
comment on column businesses.registration_number is 'Number in the company register of registration_country, in capitals and without spaces.';
comment on column businesses.country_code is 'Where it does business, ISO 3166-1; may differ from where it is registered.';
comment on column businesses.status_reason is 'Why it was suspended, rejected or closed.';
comment on column businesses.compliance_status is 'What the latest check of each type comes to; kept by the triggers of compliance_checks.';
comment on column businesses.risk_score is 'Of the current row in risk_assessments, as are the three columns after it; kept by its trigger.';
comment on column businesses.assigned_to is 'The analyst whose work it is.';
comment on column businesses.deleted_at is 'Soft delete: the registration number becomes free for a new row.';

create unique index businesses_registration_key on businesses (registration_country, registration_number) where deleted_at is null;

create table business_classifications (
  id uuid primary key default gen_random_uuid(),
  business_id uuid not null references businesses (id),
  code_system text not null,
  industry_code text not null,
  confidence_score numeric(5,4) not null check (confidence_score between 0 and 1),
  method text not null check (method in ('keyword', 'model', 'registry', 'manual')),
  source text not null check (source <> ''),
  is_primary boolean not null default false,
  classified_by uuid references users (id),
  evidence jsonb not null default '{}' check (jsonb_typeof(evidence) = 'object'),
  classified_at timestamptz not null default now(),
  superseded_at timestamptz constraint business_classifications_superseded_later check (superseded_at >= classified_at),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (code_system, industry_code) references industry_codes (code_system, code),
  constraint business_classifications_manual_has_author check ((method = 'manual') = (classified_by is not null))
);
comment on table business_classifications is 'Industries that a business was found to be in, and how sure that is. Results that were replaced stay, with superseded_at.';
comment on column business_classifications.confidence_score is 'Probability that the code is right, by the method''s own measure.';
comment on column business_classifications.is_primary is 'The one industry to go by, of those that hold at a time.';
comment on column business_classifications.evidence is 'What it was concluded from: words found, model and version, register entry.';

create unique index business_classifications_current_key on business_classifications (business_id, code_system, industry_code)
  where superseded_at is null;
create unique index business_classifications_primary_key on business_classifications (business_id)
  where is_primary and superseded_at is null;

create table risk_assessments (
  id uuid primary key default gen_random_uuid(),
  business_id uuid not null references businesses (id),
  assessment_type text not null check (assessment_type in ('onboarding', 'periodic', 'event', 'manual')),
  model_version text not null check (model_version <> ''),
  risk_score numeric(5,2) not null check (risk_score between 0 and 100),
  risk_level text not null check (risk_level in ('low', 'medium', 'high', 'critical')),
  override_reason text check (override_reason <> ''),
  risk_factors jsonb not null default '[]' check (jsonb_typeof(risk_factors) = 'array'),
  assessed_by uuid references users (id),
  assessed_at timestamptz not null default now(),
  valid_until timestamptz not null,
  superseded_at timestamptz constraint risk_assessments_superseded_later check (superseded_at >= assessed_at),
  created_at timestamptz not null default now(),
  constraint risk_assessments_level_fits_score check (override_reason is not null or risk_level = case
    when risk_score < 25 then 'low' when risk_score < 50 then 'medium' when risk_score < 75 then 'high' else 'critical' end),
  constraint risk_assessments_human_has_author check (assessed_by is not null or (assessment_type <> 'manual' and override_reason is null)),
  constraint risk_assessments_valid_after_assessment check (valid_until > assessed_at)
);
comment on table risk_assessments is 'How risky a business was found to be, time after time. The row without superseded_at counts; facts never change.';
comment on column risk_assessments.risk_level is 'Of the score: low below 25, medium below 50, high below 75, else critical; other than that only with override_reason.';
comment on column risk_assessments.risk_factors is 'Array of {"factor", "weight", "score", "detail"}: what the score is made of.';
comment on column risk_assessments.valid_until is 'When the business is to be assessed again at the latest.';
comment on column risk_assessments.superseded_at is 'Time of the next assessment; set by trigger.';

create unique index risk_assessments_current_key on risk_assessments (business_id) where superseded_at is null;

create table compliance_checks (
  id uuid primary key default gen_random_uuid(),
  business_id uuid not null references businesses (id),
  check_type text not null check (check_type in (
    'registry', 'sanctions', 'pep', 'adverse_media', 'beneficial_owners', 'aml', 'tax', 'licence', 'address')),
  status text not null default 'pending'
    check (status in ('pending', 'in_progress', 'needs_review', 'passed', 'failed', 'expired', 'cancelled')),
  provider text not null check (provider <> ''),
  score numeric(5,2) check (score between 0 and 100),
  requirements jsonb not null default '[]' check (jsonb_typeof(requirements) = 'array'),
  findings jsonb not null default '[]' check (jsonb_typeof(findings) = 'array'),
  requested_by uuid references users (id),
  requested_at timestamptz not null default now(),
  started_at timestamptz constraint compliance_checks_started_after_request check (started_at >= requested_at),
  completed_at timestamptz,
  valid_until timestamptz constraint compliance_checks_valid_after_completion check (valid_until > completed_at),
  reviewed_by uuid references users (id),
  reviewed_at timestamptz,
  review_note text check (review_note <> ''),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint compliance_checks_completed_after_start check (completed_at >= coalesce(started_at, requested_at)),
  constraint compliance_checks_status_has_times check (case status
    when 'pending' then started_at is null and completed_at is null
    when 'in_progress' then started_at is not null and completed_at is null
    when 'needs_review' then started_at is not null and completed_at is null
    when 'cancelled' then completed_at is not null
    else started_at is not null and completed_at is not null end),
  constraint compliance_checks_result_holds_for_a_time check (status not in ('passed', 'expired') or valid_until is not null),
  constraint compliance_checks_review_complete check ((reviewed_by is null) = (reviewed_at is null)),
  constraint compliance_checks_note_has_reviewer check (review_note is null or reviewed_by is not null)
);
comment on table compliance_checks is 'Checks of a business against registers, lists and rules, from request to result. Results never change; a check is repeated by a new row.';
comment on column compliance_checks.requirements is 'Array of {"requirement", "met"}: what was asked for.';
comment on column compliance_checks.findings is 'Array of {"kind", "summary", …}: what was found, matches on lists among it.';
comment on column compliance_checks.valid_until is 'Until when a passed check may be relied on.';

-- Calls and webhooks

create table external_service_calls (
  id uuid primary key default gen_random_uuid(),
  called_at timestamptz not null default now(),
  service text not null check (service ~ '^[a-z][a-z0-9_-]{1,49}$'),
  operation text not null check (operation ~ '^[a-z][a-z0-9_.-]{1,63}$'),
  method text not null check (method in ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE')),
  url text not null check (url ~ '^https?://' and url !~ '[?#@]'),
  business_id uuid references businesses (id),
  user_id uuid references users (id),
  compliance_check_id uuid references compliance_checks (id),
  request_id text check (request_id <> ''),
  attempt smallint not null default 1 check (attempt between 1 and 100),
  outcome text not null check (outcome in ('succeeded', 'failed', 'timed_out', 'rate_limited', 'circuit_open')),
  status_code smallint check (status_code between 100 and 599),
  duration_ms numeric(12,3) not null check (duration_ms >= 0),
  request_bytes bigint check (request_bytes >= 0),
  response_bytes bigint check (response_bytes >= 0),
  error_message text check (error_message <> ''),
  cost numeric(12,6) not null default 0 check (cost >= 0),
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  constraint external_service_calls_success_has_code check (outcome <> 'succeeded' or coalesce(status_code < 400, false)),
  constraint external_service_calls_failure_has_message check ((outcome = 'succeeded') = (error_message is null))
);
comment on table external_service_calls is 'Each call to a register, list provider or other service: how it ended, how long it took, what it cost. Append-only.';
comment on column external_service_calls.url is 'Without query and credentials, which may be secret or personal.';
comment on column external_service_calls.attempt is 'Counts from 1; later ones are retries of the same request_id.';
comment on column external_service_calls.cost is 'In US dollars, as the provider charges.';

create table webhooks (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id),
  name text not null check (name <> ''),
  url text not null check (url ~ '^https://[^/\s@]+(/\S*)?$' and length(url) <= 2000),
  event_types text[] not null
    constraint webhooks_event_types_named check (cardinality(event_types) > 0 and array_position(event_types, null) is null),
  secret_ciphertext bytea not null check (octet_length(secret_ciphertext) >= 32),
  status text not null default 'active' check (status in ('active', 'paused', 'disabled')),
  max_attempts smallint not null default 8 check (max_attempts between 1 and 50),
  consecutive_failures integer not null default 0 check (consecutive_failures >= 0),
  last_success_at timestamptz,
  last_failure_at timestamptz,
  disabled_reason text check (disabled_reason <> ''),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (user_id, url),
  constraint webhooks_disabled_has_reason check ((status = 'disabled') = (disabled_reason is not null))
);
comment on table webhooks is 'Where users want to be told of events.';
comment on column webhooks.event_types is 'Dotted names such as business.activated; risk.* stands for all that begin so.';
comment on column webhooks.secret_ciphertext is 'Signing secret, encrypted by the application: it has to be read again for each delivery. Redacted in audit rows.';

create table webhook_events (
  id uuid primary key default gen_random_uuid(),
  webhook_id uuid not null references webhooks (id) on delete cascade,
  event_id uuid not null,
  event_type text not null check (event_type ~ '^[a-z][a-z_.]{1,63}$'),
  business_id uuid references businesses (id),
  payload jsonb not null check (jsonb_typeof(payload) = 'object'),
  status text not null default 'pending' check (status in ('pending', 'delivering', 'retrying', 'delivered', 'dead')),
  attempts smallint not null default 0,
  next_attempt_at timestamptz default now(),
  last_attempt_at timestamptz,
  last_status_code smallint check (last_status_code between 100 and 599),
  last_error text check (last_error <> ''),
  delivered_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (webhook_id, event_id),
  constraint webhook_events_open_has_next_attempt check ((status in ('pending', 'delivering', 'retrying')) = (next_attempt_at is not null)),
  constraint webhook_events_attempted_has_time check ((attempts = 0) = (last_attempt_at is null)),
  constraint webhook_events_status_fits_attempts check (case status when 'pending' then attempts = 0 else attempts > 0 end),
  constraint webhook_events_delivered_has_time check ((status = 'delivered') = (delivered_at is not null))
);
comment on table webhook_events is 'Events on their way to webhooks, with every webhook''s own row, and what became of them.';
comment on column webhook_events.event_id is 'Id of the event, sent along, so that a receiver knows a repetition.';
comment on column webhook_events.next_attempt_at is
  'Due from then on. A worker takes due rows FOR UPDATE SKIP LOCKED, counts the attempt and moves this ahead by its own time limit.';

-- Audit

create function current_app_user_id() returns uuid
  language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$ select nullif(current_setting('app.user_id', true), '')::uuid $$;
comment on function current_app_user_id() is
  'User in whose name the application works (setting app.user_id), or null. A malformed one is an error: no change without its author.';

create function current_app_api_key_id() returns uuid
  language sql stable parallel safe set search_path = pg_catalog, pg_temp
as $$ select nullif(current_setting('app.api_key_id', true), '')::uuid $$;
comment on function current_app_api_key_id() is 'API key with which the request came (setting app.api_key_id), or null.';

create function current_client_ip() returns inet
  language sql stable parallel restricted set search_path = pg_catalog, pg_temp
as $$ select coalesce(nullif(current_setting('app.client_ip', true), '')::inet, inet_client_addr()) $$;
comment on function current_client_ip() is 'The person''s address (setting app.client_ip), else that of the connection, which may be a pooler''s.';

create table audit_logs (
  id uuid primary key default gen_random_uuid(),
  occurred_at timestamptz not null default clock_timestamp(),
  user_id uuid default current_app_user_id(),
  api_key_id uuid default current_app_api_key_id(),
  action text not null check (action ~ '^[a-z][a-z_.]{1,63}$'),
  resource_type text not null check (resource_type ~ '^[a-z][a-z_]{1,63}$'),
  resource_id text not null,
  old_data jsonb,
  new_data jsonb,
  changed_columns text[],
  details jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
  ip inet default current_client_ip(),
  user_agent text,
  request_id text default nullif(current_setting('app.request_id', true), ''),
  database_user text not null default session_user,
  transaction_id xid8 not null default pg_current_xact_id(),
  constraint audit_logs_update_names_columns check ((action = 'update') = (changed_columns is not null)),
  constraint audit_logs_data_fits_action check (case action
    when 'insert' then old_data is null and new_data is not null
    when 'update' then old_data is not null and new_data is not null
    when 'delete' then old_data is not null and new_data is null
    else old_data is null and new_data is null end)
);
comment on table audit_logs is
  'Who did what: changes of tables under audit (action insert, update, delete; written by trigger) and what the application reports '
  '(dotted actions such as session.login). Append-only. Names users and keys without foreign keys: it outlives what it speaks of.';
comment on column audit_logs.resource_type is 'The table''s name for changes.';
comment on column audit_logs.resource_id is 'Primary key of the row; the parts of a composite key joined by commas.';
comment on column audit_logs.changed_columns is 'Columns that an update changed, updated_at aside.';
comment on column audit_logs.database_user is 'Login that made the change, whatever role it had assumed.';
comment on column audit_logs.transaction_id is 'Groups the rows of one transaction.';

create function redact_secrets(row_data jsonb) returns jsonb
  language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
as $$
  -- By the column's name, so that a table put under audit later is covered too. Null stays null: set or not set may be seen.
  select jsonb_object_agg(key, case
    when key ~ '(^|_)(hash|secret|password|credentials|ciphertext)$' and value <> 'null'::jsonb then '"[redacted]"'::jsonb
    else value end)
  from jsonb_each(row_data)
$$;
comment on function redact_secrets(jsonb) is 'A row as JSON with hashes, secrets and credentials replaced by "[redacted]".';

create function changed_columns(old_data jsonb, new_data jsonb, ignored text[]) returns text[]
  language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(key order by key), '{}')
  from jsonb_each(new_data)
  where value is distinct from old_data -> key and key <> all (ignored) and key <> 'updated_at'
$$;
comment on function changed_columns(jsonb, jsonb, text[]) is
  'Names of the columns in which two versions of a row differ, the ignored ones and updated_at aside.';

-- Definer's rights: a change is recorded for logins that may not write such rows themselves.
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
  insert into audit_logs (resource_type, resource_id, action, old_data, new_data, changed_columns)
  values (tg_table_name, record_key, lower(tg_op), redact_secrets(old_row), redact_secrets(new_row), changed);
  return null;
end
$$;
comment on function audit_row_change() is
  'Trigger: writes audit_logs. Arguments: columns of the primary key, then columns whose change alone is not recorded, comma-separated.';

create function guard_reported_action() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if in_maintenance(tg_relid) then
    return new;
  end if;
  -- What a definer's trigger inserts comes in the name of the table's owner.
  if new.action in ('insert', 'update', 'delete') and not pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid),
    'usage') then
    raise exception 'changes of rows are recorded by trigger alone, not reported: action %', new.action
      using errcode = 'restrict_violation', hint = 'Report what was done under a dotted name, such as report.export.';
  end if;
  new.occurred_at := clock_timestamp();
  new.database_user := session_user;
  new.transaction_id := pg_current_xact_id();
  return new;
end
$$;
comment on function guard_reported_action() is
  'Trigger: nobody but the owner writes rows that look like changes; time, login and transaction are the true ones but in maintenance.';


create trigger guard_reported_action before insert on audit_logs for each row execute function guard_reported_action();

create trigger audit_change after insert or update or delete on users
  for each row execute function audit_row_change('id', 'last_login_at,last_login_ip');
create trigger audit_change after insert or update or delete on api_keys
  for each row execute function audit_row_change('id', 'request_count,last_used_at,last_used_ip');
create trigger audit_change after insert or update or delete on industry_codes
  for each row execute function audit_row_change('code_system,code');
create trigger audit_change after insert or update or delete on businesses for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on business_classifications for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on compliance_checks for each row execute function audit_row_change('id');
create trigger audit_change after insert or update or delete on webhooks
  for each row execute function audit_row_change('id', 'consecutive_failures,last_success_at,last_failure_at');

-- Life of a business

create function business_transition_allowed(old_status text, new_status text) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select new_status = any (case old_status
    when 'draft' then array['pending_review', 'closed']
    when 'pending_review' then array['draft', 'active', 'rejected', 'closed']
    when 'active' then array['suspended', 'closed']
    when 'suspended' then array['active', 'closed']
    when 'rejected' then array['pending_review', 'closed']
    else '{}' end)
$$;
comment on function business_transition_allowed(text, text) is 'Whether a business may go from one status to another. Closed is final.';

create function guard_business() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  prohibited text;
begin
  if in_maintenance(tg_relid) then
    return new;
  end if;
  if tg_op = 'INSERT' then
    if new.status not in ('draft', 'pending_review') then
      raise exception 'a business begins as draft or pending_review, not %', new.status using errcode = 'restrict_violation';
    end if;
    if new.compliance_status <> 'not_checked' or new.risk_score is not null then
      raise exception 'a business begins without a risk and not checked'
        using errcode = 'restrict_violation', hint = 'Insert into risk_assessments and compliance_checks afterwards.';
    end if;
    return new;
  end if;
  -- Depth 1 is a statement of the application's own; the triggers that keep these columns come deeper.
  if pg_trigger_depth() = 1
     and (new.risk_score, new.risk_level, new.risk_assessed_at, new.next_review_at, new.compliance_status)
       is distinct from (old.risk_score, old.risk_level, old.risk_assessed_at, old.next_review_at, old.compliance_status) then
    raise exception 'risk and compliance of business % are not set by hand', old.id
      using errcode = 'restrict_violation', hint = 'Insert into risk_assessments or compliance_checks instead; their triggers set them.';
  end if;
  if new.status = old.status then
    return new;
  end if;
  if not business_transition_allowed(old.status, new.status) then
    raise exception 'business % may not go from % to %', old.id, old.status, new.status using errcode = 'restrict_violation';
  end if;
  if new.status = 'active' then
    if new.compliance_status <> 'compliant' or new.risk_level is null or new.risk_level = 'critical' then
      raise exception 'business % may not become active: compliance is %, risk is %', old.id, new.compliance_status,
        coalesce(new.risk_level, 'unknown')
        using errcode = 'restrict_violation', hint = 'It needs to be compliant and of a risk below critical.';
    end if;
    select code_system || ' ' || code into prohibited
    from business_classifications
    join industry_codes using (code_system)
    where business_id = old.id and is_primary and superseded_at is null and code = industry_code and is_prohibited;
    if found then
      raise exception 'business % may not become active: its industry % is prohibited', old.id, prohibited using errcode = 'restrict_violation';
    end if;
  end if;
  return new;
end
$$;
comment on function guard_business() is 'Trigger: keeps the order of statuses, what it takes to become active, and risk and compliance as their tables say.';

create trigger guard_business before insert or update on businesses for each row execute function guard_business();
create trigger keep_facts before update on business_classifications
  for each row execute function keep_facts('is_primary', 'superseded_at', 'updated_at');

-- Risk: the newest assessment counts, and shows in its business. Definer's rights, since nobody may update an assessment otherwise.

create index risk_assessments_history_idx on risk_assessments (business_id, assessed_at desc);

create function guard_risk_assessment() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if new.superseded_at is not null and not in_maintenance(tg_relid) then
    raise exception 'an assessment begins as the current one' using errcode = 'restrict_violation', hint = 'Leave superseded_at out.';
  end if;
  return new;
end
$$;
comment on function guard_risk_assessment() is 'Trigger: assessments that were superseded already come with an import alone.';

create function supersede_risk_assessment() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
  latest timestamptz;
begin
  -- A row that the primary key will refuse, or ON CONFLICT skip, supersedes nothing.
  if exists (select from risk_assessments where id = new.id) then
    return new;
  end if;
  -- Two assessments of a business at once come one after the other.
  perform from businesses where id = new.business_id for no key update;
  select assessed_at into latest from risk_assessments where business_id = new.business_id and superseded_at is null;
  if latest > new.assessed_at then
    raise exception 'business % has been assessed at %, after %', new.business_id, latest, new.assessed_at using errcode = 'restrict_violation';
  end if;
  update risk_assessments set superseded_at = new.assessed_at where business_id = new.business_id and superseded_at is null;
  return new;
end
$$;
comment on function supersede_risk_assessment() is 'Trigger: a new assessment supersedes the one before; an older one is refused.';

create function apply_risk_assessment() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
begin
  update businesses
  set risk_score = new.risk_score, risk_level = new.risk_level, risk_assessed_at = new.assessed_at, next_review_at = new.valid_until
  where id = new.business_id
    and (risk_score, risk_level, risk_assessed_at, next_review_at)
      is distinct from (new.risk_score, new.risk_level, new.assessed_at, new.valid_until);
  return null;
end
$$;
comment on function apply_risk_assessment() is 'Trigger: shows the current assessment in its business.';

-- In this order: by name.
create trigger guard_risk_assessment before insert on risk_assessments for each row execute function guard_risk_assessment();
create trigger supersede_risk_assessment before insert on risk_assessments
  for each row when (new.superseded_at is null) execute function supersede_risk_assessment();
create trigger apply_risk_assessment after insert on risk_assessments
  for each row when (new.superseded_at is null) execute function apply_risk_assessment();
create trigger keep_facts before update on risk_assessments for each row execute function keep_facts('superseded_at');

-- Compliance

create index compliance_checks_latest_idx on compliance_checks (business_id, check_type, requested_at desc, id);

create function compliance_status_of(business uuid) returns text
  language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
as $$
  select case
    when count(*) = 0 then 'not_checked'
    when bool_or(status = 'failed') then 'non_compliant'
    when bool_or(status = 'needs_review') then 'under_review'
    when bool_and(status = 'passed') then 'compliant'
    else 'pending' end
  from (
    select distinct on (check_type) status
    from compliance_checks
    where business_id = business and status <> 'cancelled'
    order by check_type, requested_at desc, id
  ) as latest
$$;
comment on function compliance_status_of(uuid) is 'What the latest check of each type comes to, cancelled ones aside; the worst decides.';

create function compliance_transition_allowed(old_status text, new_status text) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select new_status = any (case old_status
    when 'pending' then array['in_progress', 'cancelled']
    when 'in_progress' then array['needs_review', 'passed', 'failed', 'cancelled']
    when 'needs_review' then array['passed', 'failed', 'cancelled']
    when 'passed' then array['expired']
    else '{}' end)
$$;
comment on function compliance_transition_allowed(text, text) is 'Whether a check may go from one status to another.';

create function guard_compliance_check() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if in_maintenance(tg_relid) then
    return new;
  end if;
  if (new.business_id, new.check_type, new.provider, new.requested_by, new.requested_at)
    is distinct from (old.business_id, old.check_type, old.provider, old.requested_by, old.requested_at) then
    raise exception 'what compliance check % was to check does not change', old.id using errcode = 'restrict_violation';
  end if;
  if old.completed_at is not null and to_jsonb(new) - array['status', 'updated_at'] is distinct from to_jsonb(old) - array['status',
    'updated_at'] then
    raise exception 'the result of compliance check % does not change', old.id
      using errcode = 'restrict_violation', hint = 'Insert a new check.';
  end if;
  if new.status <> old.status and not compliance_transition_allowed(old.status, new.status) then
    raise exception 'compliance check % may not go from % to %', old.id, old.status, new.status using errcode = 'restrict_violation';
  end if;
  if old.status = 'needs_review' and new.status in ('passed', 'failed') and new.reviewed_by is null then
    raise exception 'compliance check % needs a reviewer before it is %', old.id, new.status using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
comment on function guard_compliance_check() is 'Trigger: keeps the order of statuses, and what was asked and found as it was.';

create function apply_compliance_check() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp
as $$
declare
  now_status text;
begin
  -- Two results of a business at once are counted one after the other.
  perform from businesses where id = new.business_id for no key update;
  now_status := compliance_status_of(new.business_id);
  update businesses set compliance_status = now_status where id = new.business_id and compliance_status <> now_status;
  return null;
end
$$;
comment on function apply_compliance_check() is 'Trigger: shows in the business what its checks come to.';

create function expire_compliance_checks(as_of timestamptz default now()) returns integer
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  expired integer;
begin
  update compliance_checks set status = 'expired' where status = 'passed' and valid_until <= as_of;
  get diagnostics expired = row_count;
  return expired;
end
$$;
comment on function expire_compliance_checks(timestamptz) is 'Marks passed checks that may no longer be relied on; returns how many. To be called daily.';

create trigger guard_compliance_check before update on compliance_checks for each row execute function guard_compliance_check();
create trigger apply_compliance_check_inserted after insert on compliance_checks for each row execute function apply_compliance_check();
create trigger apply_compliance_check_changed after update of status on compliance_checks
  for each row when (old.status is distinct from new.status) execute function apply_compliance_check();

-- Keys, tokens and webhooks

create trigger keep_facts before update on api_keys for each row execute function keep_facts(
  'name', 'allowed_networks', 'rate_limit_per_minute', 'request_count', 'last_used_at', 'last_used_ip', 'expires_at', 'revoked_at', 'revoked_by',
  'revoke_reason', 'updated_at');
create trigger keep_revoked before update on api_keys for each row when (old.revoked_at is not null)
  execute function keep_facts('request_count', 'last_used_at', 'last_used_ip', 'updated_at');

create function delete_expired_tokens(as_of timestamptz default now()) returns integer
  language sql set search_path = pg_catalog, public, pg_temp
as $$
  with verification as (delete from email_verification_tokens where expires_at <= as_of returning 1),
    reset as (delete from password_reset_tokens where expires_at <= as_of returning 1),
    blacklisted as (delete from token_blacklist where expires_at <= as_of returning 1)
  select ((select count(*) from verification) + (select count(*) from reset) + (select count(*) from blacklisted))::integer
$$;
comment on function delete_expired_tokens(timestamptz) is 'Deletes tokens of all three kinds that expired; returns how many. To be called daily.';

create function webhook_transition_allowed(old_status text, new_status text) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select new_status = any (case old_status
    when 'pending' then array['delivering']
    when 'delivering' then array['delivered', 'retrying', 'dead']
    when 'retrying' then array['delivering']
    when 'dead' then array['retrying']
    else '{}' end)
$$;
comment on function webhook_transition_allowed(text,
  text) is 'Whether an event may go from one status to another. A dead one is retried by hand alone.';

create function guard_webhook_event() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if in_maintenance(tg_relid) then
    return new;
  end if;
  if (new.webhook_id, new.event_id, new.event_type, new.business_id, new.payload)
    is distinct from (old.webhook_id, old.event_id, old.event_type, old.business_id, old.payload) then
    raise exception 'webhook event % itself does not change', old.id using errcode = 'restrict_violation';
  end if;
  if new.status <> old.status and not webhook_transition_allowed(old.status, new.status) then
    raise exception 'webhook event % may not go from % to %', old.id, old.status, new.status using errcode = 'restrict_violation';
  end if;
  if new.attempts not between old.attempts and old.attempts + 1 then
    raise exception 'webhook event %: attempts are counted one by one, not from % to %', old.id, old.attempts, new.attempts
      using errcode = 'restrict_violation';
  end if;
  if old.status = 'delivering' and new.status = 'retrying'
     and new.attempts >= (select max_attempts from webhooks where id = new.webhook_id) then
    raise exception 'webhook event % has had its % attempts', old.id, new.attempts
      using errcode = 'restrict_violation', hint = 'Set its status to dead.';
  end if;
  return new;
end
$$;
comment on function guard_webhook_event() is 'Trigger: keeps the order of statuses and the number of attempts, and the event itself as it was.';

create trigger guard_webhook_event before update on webhook_events for each row execute function guard_webhook_event();

-- Append-only, by privilege and by trigger.

do $$
declare
  log text;
begin
  foreach log in array array['audit_logs', 'external_service_calls', 'risk_assessments'] loop
    perform revoke_from_grantees(log::regclass, array['UPDATE', 'DELETE', 'TRUNCATE']);
    -- An assessment changes in one way, see keep_facts above.
    execute format('create trigger reject_row_change before %s on %I for each row execute function reject_row_change()',
      case log when 'risk_assessments' then 'delete' else 'update or delete' end, log);
    execute format('create trigger reject_truncate before truncate on %I for each statement execute function reject_row_change()', log);
  end loop;
end
$$;

-- What is hidden or revoked and never deleted, the application cannot delete.
select revoke_from_grantees(kept, array['DELETE', 'TRUNCATE'])
from unnest(array['users', 'api_keys', 'businesses', 'business_classifications', 'compliance_checks']::regclass[]) as kept;

do $$
declare
  stamped text;
begin
  foreach stamped in array array[
    'users', 'api_keys', 'industry_codes', 'businesses', 'business_classifications', 'compliance_checks', 'webhooks', 'webhook_events'
  ] loop
    execute format('create trigger set_updated_at before update on %I for each row execute function set_updated_at()', stamped);
  end loop;
end
$$;

-- The migrations, as a table to look at. Through a function, since the tracking table belongs to the tool that migrates: it may be made
-- after this file has run, and made anew. Definer's rights, since the tool's schema is closed to the application.

create function applied_migrations()
  returns table (version bigint, filename text, checksum text, previous_checksum text, applied_at timestamptz)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if to_regclass('graphile_migrate.migrations') is null then
    return;
  end if;
  return query execute
    'select substring(filename from ''^[0-9]+'')::bigint, filename, hash, previous_hash, date from graphile_migrate.migrations';
end
$$;
comment on function applied_migrations() is 'Rows of graphile-migrate''s tracking table; none where nothing was ever tracked.';

create view migrations as
  select version, filename, checksum, previous_checksum, applied_at from applied_migrations();
comment on view migrations is 'Migrations that were applied: number, checksum and time. Of those that were taken back, no row is left.';

select restrict_to_owner('audit_row_change()'),
       restrict_to_owner('supersede_risk_assessment()'),
       restrict_to_owner('apply_risk_assessment()'),
       restrict_to_owner('apply_compliance_check()'),
       restrict_to_owner('applied_migrations()'),
       revoke_from_grantees('migrations', array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']);

-- Who may read the view needs its function.
do $$
declare
  reader text;
begin
  for reader in
    select coalesce(quote_ident(role.rolname), 'public')
    from pg_class as class
    cross join lateral aclexplode(class.relacl) as acl
    left join pg_roles as role on role.oid = acl.grantee
    where class.oid = 'migrations'::regclass and acl.grantee <> class.relowner and acl.privilege_type = 'SELECT'
  loop
    execute format('grant execute on function applied_migrations() to %s', reader);
  end loop;
end
$$;

-- What constraints cannot say and triggers keep, looked at from outside: after an import, which runs in maintenance or with triggers off.

create function integrity_findings() returns table (finding text, table_name text, record_id text)
  language sql stable set search_path = pg_catalog, public, pg_temp
as $$
  select 'risk is not that of the current assessment', 'businesses', businesses.id::text
  from businesses
  left join risk_assessments on business_id = businesses.id and superseded_at is null
  where (businesses.risk_score, businesses.risk_level, businesses.risk_assessed_at, businesses.next_review_at)
    is distinct from (risk_assessments.risk_score, risk_assessments.risk_level, risk_assessments.assessed_at, risk_assessments.valid_until)
  union all
  select 'compliance is not what the latest checks come to', 'businesses', businesses.id::text
  from businesses
  left join (
    select business_id, case when bool_or(status = 'failed') then 'non_compliant' when bool_or(status = 'needs_review') then 'under_review'
      when bool_and(status = 'passed') then 'compliant' else 'pending' end as status
    from (
      select distinct on (business_id, check_type) business_id, status
      from compliance_checks where status <> 'cancelled' order by business_id, check_type, requested_at desc, id
    ) as latest
    group by business_id
  ) as checked on checked.business_id = businesses.id
  where businesses.compliance_status <> coalesce(checked.status, 'not_checked')
  union all
  select 'the assessment is superseded at another time than that of the next', 'risk_assessments', id::text
  from (
    select id, superseded_at, lead(assessed_at) over (partition by business_id order by assessed_at, superseded_at) as next_at from risk_assessments
  ) as history
  where superseded_at is distinct from next_at
  union all
  select 'the business is active in a prohibited industry', 'businesses', businesses.id::text
  from businesses
  join business_classifications on business_id = businesses.id and is_primary and superseded_at is null
  join industry_codes on industry_codes.code_system = business_classifications.code_system and code = industry_code
  where is_prohibited and businesses.status = 'active'
$$;
comment on function integrity_findings() is
  'Rows that break a rule which triggers keep: none in a sound database. Reads whole tables; for after an import, not for every day.';
select restrict_to_owner('integrity_findings()');
