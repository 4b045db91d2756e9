--! Previous: sha1:8ce7da64649fb95806a48c77438e99aad06981e5
--! Hash: sha1:6776411eac16cc08d595d536abeeb792f847b608
--! Message: people

create table users (
  id uuid primary key default gen_random_uuid(),
  legacy_id text check (legacy_id <> ''),
  email text not null check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' and length(email) <= 254),
  display_name text not null check (display_name <> ''),
  role text not null default 'learner' check (role in ('learner', 'instructor', 'admin')),
  status text not null default 'invited' check (status in ('invited', 'active', 'suspended', 'closed')),
  password_hash text
    constraint users_password_hash_bcrypt check (password_hash ~ '^\$2[aby]\$(1[0-9]|2[0-9]|3[01])\$[./A-Za-z0-9]{53}$'),
  identity_provider text check (identity_provider ~ '^[a-z][a-z0-9_-]{1,49}$'),
  identity_subject text check (identity_subject <> ''),
  locale text not null default 'en' check (locale ~ '^[a-z]{2}(-[A-Z]{2})?$'),
  time_zone text not null default 'UTC' check (time_zone <> ''),
  email_verified_at timestamptz,
  failed_login_attempts integer not null default 0 check (failed_login_attempts >= 0),
  locked_until timestamptz,
  last_login_at timestamptz,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint users_deleted_after_creation check (deleted_at >= created_at),
  constraint users_identity_complete check ((identity_provider is null) = (identity_subject is null)),
  constraint users_active_can_log_in check (status <> 'active' or password_hash is not null or identity_subject is not null),
  constraint users_deleted_is_closed check (deleted_at is null or status = 'closed')
);
comment on table users is 'People who log in: learners, instructors and staff. deleted_at hides them, DELETE erases them and what is theirs.';
comment on column users.password_hash is 'bcrypt, cost 10 or more; null for people who log in with their school''s identity provider. Redacted in audit rows.';
comment on column users.identity_subject is 'Who the person is at identity_provider (the claim sub of OpenID Connect).';
comment on column users.time_zone is 'Name of an IANA time zone: the learner''s days and streaks are counted in it.';
comment on column users.locked_until is 'No login before this time, set after too many failed attempts.';
comment on column users.deleted_at is 'Soft delete: the email becomes free for another user.';

create table login_sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
  ip inet not null,
  user_agent text,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz constraint login_sessions_revoked_after_creation check (revoked_at >= created_at),
  constraint login_sessions_expires_after_creation check (expires_at > created_at),
  constraint login_sessions_seen_after_creation check (last_seen_at >= created_at)
);
comment on table login_sessions is 'Logins that are open. Time spent learning stands in sessions.';
comment on column login_sessions.token_hash is 'SHA-256 of the bearer token in hex; the token itself is never stored.';

create table learning_profiles (
  user_id uuid primary key references users (id) on delete cascade,
  legacy_id text check (legacy_id <> ''),
  level text not null default 'beginner' check (level in ('beginner', 'intermediate', 'advanced')),
  learning_style text check (learning_style in ('visual', 'auditory', 'reading', 'kinesthetic', 'mixed')),
  visual_score numeric(5,4) check (visual_score between 0 and 1),
  auditory_score numeric(5,4) check (auditory_score between 0 and 1),
  reading_score numeric(5,4) check (reading_score between 0 and 1),
  kinesthetic_score numeric(5,4) check (kinesthetic_score between 0 and 1),
  style_assessed_at timestamptz,
  pace text not null default 'steady' check (pace in ('relaxed', 'steady', 'intensive')),
  daily_goal_minutes smallint not null default 20 check (daily_goal_minutes between 5 and 480),
  reminder_time time,
  interests text[] not null default '{}',
  preferences jsonb not null default '{}' check (jsonb_typeof(preferences) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint learning_profiles_style_assessed check (case when style_assessed_at is null
    then num_nonnulls(learning_style, visual_score, auditory_score, reading_score, kinesthetic_score) = 0
    else num_nulls(learning_style, visual_score, auditory_score, reading_score, kinesthetic_score) = 0 end),
  -- Shares rounded one by one need not add up to 1 in the last digit.
  constraint learning_profiles_scores_add_up check (abs(visual_score + auditory_score + reading_score + kinesthetic_score - 1) <= 0.001)
);
comment on table learning_profiles is 'How a learner learns: style as assessed, pace, daily goal, interests. One a learner.';
comment on column learning_profiles.visual_score is 'Share of the learner''s answers in the latest learning style assessment; the other three likewise.';
comment on column learning_profiles.reminder_time is 'Time of day in the learner''s time zone at which to remind; null for never.';
comment on column learning_profiles.preferences is 'What the application alone reads: font size, captions, contrast, voice.';

-- Keys of the system before; partial, so that rows born here cost nothing.
create unique index users_legacy_id_key on users (legacy_id) where legacy_id is not null;
create unique index learning_profiles_legacy_id_key on learning_profiles (legacy_id) where legacy_id is not null;

-- Login and sign-up. Partial, so that a soft-deleted user's address can be used again.
create unique index users_email_key on users (email) where deleted_at is null;
create unique index users_identity_key on users (identity_provider, identity_subject) where identity_subject is not null and deleted_at is null;
-- Admin dashboard: newest users by role, accounts locked now. Support looks people up by any part of name or address.
create index users_role_created_idx on users (role, status, created_at desc) where deleted_at is null;
create index users_locked_idx on users (locked_until) where locked_until is not null;
create index users_email_trgm_idx on users using gin (email gin_trgm_ops);
create index users_display_name_trgm_idx on users using gin (display_name gin_trgm_ops);

create index login_sessions_user_idx on login_sessions (user_id, last_seen_at desc);
create index login_sessions_live_idx on login_sessions (expires_at) where revoked_at is null;
create index learning_profiles_interests_idx on learning_profiles using gin (interests);

create trigger set_updated_at before update on users for each row execute function set_updated_at();
create trigger set_updated_at before update on learning_profiles for each row execute function set_updated_at();

create function check_time_zone() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform now() at time zone new.time_zone;
  return new;
exception when invalid_parameter_value then
  raise exception 'user %: time zone % is not known', new.email, new.time_zone
    using errcode = 'check_violation', constraint = 'users_time_zone_known', table = 'users',
          hint = 'Name a zone of pg_timezone_names, such as Europe/Berlin.';
end
$$;
comment on function check_time_zone() is 'Trigger: days are counted in a learner''s time zone, so it must exist.';

create trigger check_time_zone before insert or update of time_zone on users
  for each row execute function check_time_zone();
