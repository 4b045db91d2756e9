--! Previous: sha1:4cea8460ae73a1a1656ae17f65a4392d8042fedb
--! Hash: sha1:46ba9e62a2a37acb836e9a0090b2920816ec39dd
--! Message: identity checks

create table kyc_applications (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id),
  level smallint not null check (level between 1 and 3),
  status text not null default 'draft' check (status in (
    'draft', 'submitted', 'in_review', 'approved', 'rejected', 'expired', 'withdrawn')),
  risk_rating text check (risk_rating in ('low', 'medium', 'high')),
  provider text check (provider <> ''),
  provider_reference text,
  submitted_at timestamptz,
  reviewed_by uuid references admin_users (id),
  reviewed_at timestamptz,
  rejection_reason text,
  valid_until timestamptz,
  answers jsonb not null default '{}' check (jsonb_typeof(answers) = 'object'),
  notes text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint kyc_applications_submitted_has_time check (status in ('draft', 'withdrawn') or submitted_at is not null),
  constraint kyc_applications_decided_has_person check (case when status in ('approved', 'rejected', 'expired')
    then num_nulls(reviewed_by, reviewed_at) = 0 else reviewed_at is null end),
  constraint kyc_applications_approved_is_rated check (status not in ('approved', 'expired') or risk_rating is not null),
  constraint kyc_applications_rejected_has_reason check ((status = 'rejected') = (rejection_reason is not null)),
  constraint kyc_applications_approved_has_end check ((status in ('approved', 'expired')) = (valid_until is not null)),
  constraint kyc_applications_valid_after_review check (valid_until > reviewed_at),
  constraint kyc_applications_reviewed_after_submission check (reviewed_at >= submitted_at),
  constraint kyc_applications_reference_has_provider check (provider_reference is null or provider is not null)
);
comment on table kyc_applications is 'A user''s request to be known to a level, from draft to decision. The decision moves users.kyc_level.';
comment on column kyc_applications.level is '1 name and birth, 2 identity paper, 3 residence and source of funds.';
comment on column kyc_applications.reviewed_by is 'Who took it up (in review) or decided it.';
comment on column kyc_applications.valid_until is 'The approval counts until then; a job sets the status to expired.';

create table kyc_documents (
  id uuid primary key default gen_random_uuid(),
  application_id uuid not null references kyc_applications (id) on delete cascade,
  document_type text not null check (document_type in (
    'passport', 'id_card', 'driving_licence', 'residence_proof', 'source_of_funds', 'selfie')),
  storage_key text not null unique check (storage_key <> ''),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  mime_type text not null check (mime_type in ('image/jpeg', 'image/png', 'application/pdf')),
  size_bytes integer not null check (size_bytes > 0 and size_bytes <= 26214400),
  issuing_country text check (issuing_country ~ '^[A-Z]{2}$'),
  expires_on date,
  status text not null default 'pending' check (status in ('pending', 'accepted', 'rejected')),
  verified_by uuid references admin_users (id),
  verified_at timestamptz,
  rejection_reason text,
  uploaded_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (application_id, sha256),
  constraint kyc_documents_verified_has_person check (case when status = 'pending'
    then num_nonnulls(verified_by, verified_at) = 0 else num_nulls(verified_by, verified_at) = 0 end),
  constraint kyc_documents_verified_after_upload check (verified_at >= uploaded_at),
  constraint kyc_documents_rejected_has_reason check ((status = 'rejected') = (rejection_reason is not null)),
  constraint kyc_documents_identity_has_country check (document_type not in ('passport', 'id_card', 'driving_licence') or issuing_country is not null)
);
comment on table kyc_documents is 'Papers of a KYC application. The files lie in an object store, encrypted; here is what is known of them.';
comment on column kyc_documents.sha256 is 'Of the file, in hex: the same file sent twice is one document.';
comment on column kyc_documents.storage_key is 'Where the object store has the file.';

-- One application at a time; the queue of the reviewers; approvals that run out.
create unique index kyc_applications_one_open_key on kyc_applications (user_id) where status in ('draft', 'submitted', 'in_review');
create unique index kyc_applications_provider_key on kyc_applications (provider, provider_reference) where provider_reference is not null;
create index kyc_applications_user_idx on kyc_applications (user_id, created_at desc);
create index kyc_applications_queue_idx on kyc_applications (submitted_at) include (status, risk_rating) where status in ('submitted', 'in_review');
create index kyc_applications_reviewed_by_idx on kyc_applications (reviewed_by, reviewed_at desc) where reviewed_by is not null;
create index kyc_applications_expiring_idx on kyc_applications (valid_until) where status = 'approved';
create index kyc_documents_verified_by_idx on kyc_documents (verified_by) where verified_by is not null;
create index kyc_documents_pending_idx on kyc_documents (uploaded_at) where status = 'pending';
-- A paper that was shown before, by whomever.
create index kyc_documents_sha256_idx on kyc_documents (sha256);

-- A user's KYC level follows the decisions, and the tier never goes above what the level allows.

create function approved_kyc_level(of_user uuid) returns smallint
  language sql stable set search_path = pg_catalog, public, pg_temp
as $$ select coalesce(max(level), 0)::smallint from kyc_applications where user_id = of_user and status = 'approved' $$;
comment on function approved_kyc_level(uuid) is 'Highest level of a user''s approved KYC applications, 0 without one.';

create function guard_user() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  tier user_tiers%rowtype;
begin
  if tg_op = 'UPDATE' and new.blockchain_address is distinct from old.blockchain_address and old.blockchain_address is not null then
    raise exception 'user %: the blockchain address stays', old.id
      using errcode = 'check_violation', constraint = 'users_address_stays', table = 'users',
            hint = 'A user who lost a wallet becomes a new user.';
  end if;
  if (tg_op = 'INSERT' or new.kyc_level <> old.kyc_level) and not in_maintenance(tg_relid)
     and new.kyc_level <> (case tg_op when 'INSERT' then 0 else approved_kyc_level(new.id) end) then
    raise exception 'user %: KYC level % is not that of the approved applications', new.id, new.kyc_level
      using errcode = 'check_violation', constraint = 'users_kyc_level_follows_applications', table = 'users',
            hint = 'Decide a row of kyc_applications; the level follows.';
  end if;
  if tg_op = 'INSERT' or (new.tier_code, new.kyc_level) is distinct from (old.tier_code, old.kyc_level) then
    select * into tier from user_tiers where code = new.tier_code;
    if found and tier.required_kyc_level > new.kyc_level then
      raise exception 'user %: tier % needs KYC level %, the user has %', new.id, tier.code, tier.required_kyc_level, new.kyc_level
        using errcode = 'check_violation', constraint = 'users_tier_needs_kyc', table = 'users';
    end if;
  end if;
  return new;
end
$$;
comment on function guard_user() is 'Trigger: address stays, KYC level follows the applications, tier fits the level.';

create function kyc_transition_allowed(old_status text, new_status text) returns boolean
  language sql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case old_status
    when 'draft' then new_status in ('submitted', 'withdrawn')
    when 'submitted' then new_status in ('in_review', 'draft', 'withdrawn')
    when 'in_review' then new_status in ('approved', 'rejected', 'draft', 'withdrawn')
    when 'approved' then new_status = 'expired'
    else false end
$$;
comment on function kyc_transition_allowed(text, text) is 'Whether a KYC application may go from one status to the other. Back to draft asks for more papers.';

create function guard_kyc_application() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if in_maintenance(tg_relid) then
    return new;
  end if;
  if tg_op = 'INSERT' then
    if new.status not in ('draft', 'submitted') then
      raise exception 'a KYC application begins as draft or submitted, not as %', new.status
        using errcode = 'check_violation', constraint = 'kyc_applications_begins_undecided', table = 'kyc_applications';
    end if;
    return new;
  end if;
  if (new.user_id, new.level) is distinct from (old.user_id, old.level) then
    raise exception 'KYC application %: user and level stay', old.id
      using errcode = 'check_violation', constraint = 'kyc_applications_subject_stays', table = 'kyc_applications',
            hint = 'Withdraw the application and make another.';
  end if;
  if new.status <> old.status and not kyc_transition_allowed(old.status, new.status) then
    raise exception 'KYC application % cannot go from % to %', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'kyc_applications_status_transition', table = 'kyc_applications';
  end if;
  if new.status = old.status and old.status in ('approved', 'rejected', 'expired', 'withdrawn')
     and to_jsonb(new) - '{notes,updated_at}'::text[] is distinct from to_jsonb(old) - '{notes,updated_at}'::text[] then
    raise exception 'KYC application % is % and no longer changes', old.id, old.status
      using errcode = 'check_violation', constraint = 'kyc_applications_decision_stays', table = 'kyc_applications',
            hint = 'Notes may still be made.';
  end if;
  if new.status = 'approved' and old.status <> 'approved' and new.level > 1 and (
    exists (select from kyc_documents where application_id = new.id and status = 'pending')
    or not exists (
      select from kyc_documents
      where application_id = new.id and status = 'accepted' and document_type in ('passport', 'id_card', 'driving_licence'))
  ) then
    raise exception 'KYC application % has no accepted identity paper, or papers that nobody has looked at', old.id
      using errcode = 'check_violation', constraint = 'kyc_applications_approved_has_papers', table = 'kyc_applications',
            hint = 'From level 2 on approval needs an accepted passport, identity card or driving licence, and no pending document.';
  end if;
  return new;
end
$$;
comment on function guard_kyc_application() is 'Trigger: an application goes through its steps, and a decision stays and has its papers.';

create function apply_kyc_decision() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  of_user uuid := coalesce(new.user_id, old.user_id);
  reached smallint;
begin
  -- Two decisions about one user wait for each other here, and the later one sees the earlier.
  perform from users where id = of_user for no key update;
  reached := approved_kyc_level(of_user);
  update users
  set kyc_level = reached,
      tier_code = case when tier.required_kyc_level <= reached then users.tier_code else (
        select code from user_tiers where required_kyc_level <= reached and rank < tier.rank order by rank desc limit 1) end
  from user_tiers as tier
  where users.id = of_user and tier.code = users.tier_code and users.kyc_level <> reached;
  return null;
end
$$;
comment on function apply_kyc_decision() is 'Trigger: moves users.kyc_level with the approved applications; a tier that is no longer earned is lost.';

create function keep_decided_documents() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  application_status text;
begin
  if in_maintenance(tg_relid) then
    return coalesce(new, old);
  end if;
  if tg_op = 'UPDATE' and (new.application_id, new.document_type, new.storage_key, new.sha256, new.mime_type, new.size_bytes, new.uploaded_at)
    is distinct from (old.application_id, old.document_type, old.storage_key, old.sha256, old.mime_type, old.size_bytes, old.uploaded_at) then
    raise exception 'KYC document %: the file stays what it was', old.id
      using errcode = 'check_violation', constraint = 'kyc_documents_file_stays', table = 'kyc_documents',
            hint = 'Upload another document.';
  end if;
  select status into application_status from kyc_applications where id = coalesce(new.application_id, old.application_id) for key share;
  -- A document that is there already is left to its key, so that INSERT ... ON CONFLICT DO NOTHING can be repeated.
  if application_status in ('approved', 'rejected', 'expired', 'withdrawn')
     and not (tg_op = 'INSERT' and exists (select from kyc_documents where id = new.id)) then
    raise exception 'the application is % and its documents no longer change', application_status
      using errcode = 'check_violation', constraint = 'kyc_documents_application_undecided', table = 'kyc_documents';
  end if;
  return coalesce(new, old);
end
$$;
comment on function keep_decided_documents() is 'Trigger: what a decision was made on stays.';

create trigger guard_user before insert or update on users for each row execute function guard_user();
create trigger guard_kyc_application before insert or update on kyc_applications for each row execute function guard_kyc_application();
create trigger apply_kyc_decision after insert or delete or update of status on kyc_applications
  for each row execute function apply_kyc_decision();
create trigger keep_decided_documents before insert or update or delete on kyc_documents
  for each row execute function keep_decided_documents();
create trigger set_updated_at before update on kyc_applications for each row execute function set_updated_at();
create trigger set_updated_at before update on kyc_documents for each row execute function set_updated_at();
select keep_rows('kyc_applications');
