--! Previous: sha1:54f6523e5a0ec8745722070c7fae6647e93eb746
--! Hash: sha1:4cea8460ae73a1a1656ae17f65a4392d8042fedb
--! Message: people

create table user_tiers (
  code text primary key check (code ~ '^[a-z][a-z_]{1,29}$'),
  name text not null check (name <> ''),
  description text not null default '',
  rank smallint not null unique check (rank > 0),
  required_kyc_level smallint not null default 0 check (required_kyc_level between 0 and 3),
  max_investment numeric(20,6) check (max_investment >= 0),
  max_total_invested numeric(20,6),
  fee_rate numeric(9,6) not null default 0 check (fee_rate >= 0 and fee_rate < 1),
  early_access_hours smallint not null default 0 check (early_access_hours between 0 and 720),
  benefits jsonb not null default '{}' check (jsonb_typeof(benefits) = 'object'),
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_tiers_total_holds_one check (max_total_invested >= max_investment)
);
comment on table user_tiers is 'Levels of access: what a user of the tier may invest, at which fee, and how early.';
comment on column user_tiers.rank is 'Higher includes lower.';
comment on column user_tiers.required_kyc_level is 'Identity must have been checked at least to this level: 0 not at all, 3 with source of funds.';
comment on column user_tiers.max_investment is 'Most that one investment may be; null has no limit.';
comment on column user_tiers.max_total_invested is 'Most that a user''s pending and active investments may be together; null has no limit.';
comment on column user_tiers.fee_rate is 'Share of an investment''s amount.';
comment on column user_tiers.early_access_hours is 'How long before opens_at an asset takes investments of this tier.';

create table users (
  id uuid primary key default gen_random_uuid(),
  legacy_id text check (legacy_id <> ''),
  phone_hash text check (phone_hash ~ '^[0-9a-f]{64}$'),
  email text check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' and length(email) <= 254),
  password_hash text
    constraint users_password_hash_bcrypt check (password_hash ~ '^\$2[aby]\$(1[0-9]|2[0-9]|3[01])\$[./A-Za-z0-9]{53}$'),
  blockchain_address text check (blockchain_address ~ '^0x[0-9a-f]{40}$'),
  tier_code text not null default 'basic' references user_tiers (code),
  kyc_level smallint not null default 0 check (kyc_level between 0 and 3),
  status text not null default 'pending' check (status in ('pending', 'active', 'suspended', 'closed')),
  status_reason text,
  referred_by uuid references users (id),
  failed_login_attempts integer not null default 0 check (failed_login_attempts >= 0),
  locked_until timestamptz,
  last_login_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint users_deleted_after_creation check (deleted_at >= created_at),
  constraint users_active_has_address check (status in ('pending', 'closed') or blockchain_address is not null),
  constraint users_suspended_has_reason check (status <> 'suspended' or status_reason is not null),
  constraint users_deleted_is_closed check (deleted_at is null or status = 'closed'),
  constraint users_deleted_is_forgotten check (case when deleted_at is null
    then phone_hash is not null else num_nonnulls(phone_hash, email, password_hash) = 0 end),
  constraint users_password_has_email check (password_hash is null or email is not null),
  constraint users_referred_by_another check (referred_by <> id)
);
comment on table users is 'People with a wallet. Never deleted, since the chain and the books name them; deleting forgets how to reach them.';
comment on column users.phone_hash is
  'HMAC-SHA-256 of the phone number (E.164) in hex, with a key that only the application has: a plain hash of a number is found by trying all.';
comment on column users.email is 'Second way in, and where letters go; null for people who log in with a code to their phone alone.';
comment on column users.password_hash is 'bcrypt, cost 10 or more; null for people who log in with a code to their phone. Redacted in admin_logs.';
comment on column users.blockchain_address is 'The wallet''s address in lower case. Stays with the user for ever, as it does on the chain.';
comment on column users.kyc_level is 'Highest level of an approved KYC application; kept by the applications, not set by hand.';
comment on column users.locked_until is 'No login before this time, set after too many failed attempts.';
comment on column users.deleted_at is 'Soft delete: phone number and email are gone from the row and free for another user.';

create table user_profiles (
  user_id uuid primary key references users (id) on delete cascade,
  full_name text not null check (full_name <> ''),
  date_of_birth date,
  country_code text check (country_code ~ '^[A-Z]{2}$'),
  city text check (city <> ''),
  address jsonb check (jsonb_typeof(address) = 'object'),
  occupation text,
  language text not null default 'en' check (language ~ '^[a-z]{2}$'),
  time_zone text not null default 'UTC' check (time_zone <> ''),
  risk_profile text not null default 'balanced' check (risk_profile in ('conservative', 'balanced', 'growth')),
  interests text[] not null default '{}',
  preferences jsonb not null default '{}' check (jsonb_typeof(preferences) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_profiles_adult check (date_of_birth <= ((created_at at time zone 'UTC') - interval '18 years')::date)
);
comment on table user_profiles is 'Who a user is and what the user prefers. One a user; goes when the user is deleted.';
comment on column user_profiles.address is 'Lines as the country writes them: {"lines": [], "postal_code": ""}.';
comment on column user_profiles.interests is 'Asset classes to be told of.';
comment on column user_profiles.preferences is 'What the application alone reads: notifications, display currency, theme.';

-- Login: by phone, by wallet, by email. All of everybody: a deleted user has no phone number and no email any more, and the address is
-- nobody else's for ever.
create unique index idx_users_phone_hash on users (phone_hash);
create unique index idx_users_blockchain_address on users (blockchain_address);
create unique index users_email_key on users (email) where email is not null;
create unique index users_legacy_id_key on users (legacy_id) where legacy_id is not null;

-- Dashboard: newest users by status, who is in which tier, accounts locked now. Support looks people up by any part of a name.
create index users_status_created_idx on users (status, created_at desc) where deleted_at is null;
create index users_created_idx on users (created_at desc);
create index users_tier_idx on users (tier_code, status);
create index users_referred_by_idx on users (referred_by) where referred_by is not null;
create index users_locked_idx on users (locked_until) where locked_until is not null;
create index user_profiles_full_name_trgm_idx on user_profiles using gin (full_name gin_trgm_ops);
create index user_profiles_country_idx on user_profiles (country_code);

create function forget_user() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  delete from user_profiles where user_id = new.id;
  return null;
end
$$;
comment on function forget_user() is 'Trigger: the profile of a user who is deleted goes.';

create trigger forget_user after update of deleted_at on users for each row when (new.deleted_at is not null) execute function forget_user();
create trigger set_updated_at before update on user_tiers for each row execute function set_updated_at();
create trigger set_updated_at before update on users for each row execute function set_updated_at();
create trigger set_updated_at before update on user_profiles for each row execute function set_updated_at();
select keep_rows('users');
