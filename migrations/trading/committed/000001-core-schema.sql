--! Previous: -
--! Hash: sha1:0223baccb1419395099233cb817d27dd98dee420
--! Message: core schema

-- Money and quantities are numeric(24,8), prices numeric(20,10), rates and ratios numeric(9,6): exact, wide enough for a book in
-- yen and for a fraction of a bitcoin. Times are timestamptz. Values from a closed list are text with a check, because a check is
-- changed in one statement and an enum value is never taken away again.

do $$
begin
  if not exists (select from pg_extension where extname = 'btree_gist') then
    raise exception 'extension btree_gist is missing in database %', current_database()
      using hint = 'An administrator runs CREATE EXTENSION btree_gist; the extensions needed stand in database.json.';
  end if;
end
$$;

-- Shared trigger functions

create function set_updated_at() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function set_updated_at() is 'Trigger: stamps updated_at with the time of the transaction.';

create function bump_version() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.version := old.version + 1;
  return new;
end
$$;
comment on function bump_version() is
  'Trigger: counts up version, so that UPDATE ... WHERE version = $n finds no row after somebody else''s change (optimistic lock).';

create function reject_row_change() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  -- The owner could disable this trigger anyway; the setting makes that a deliberate act within one transaction.
  if current_setting('app.maintenance', true) = 'on'
     and pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'usage') then
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

-- Trigger functions of a definer's rights or of maintenance must not be attachable to somebody's own temporary table.
select restrict_to_owner('reject_row_change()'),
       restrict_to_owner('revoke_from_grantees(regclass, text[])'),
       restrict_to_owner('restrict_to_owner(regprocedure)');

-- Catalogue of currencies

create table currencies (
  code text primary key check (code ~ '^[A-Z0-9]{2,10}$'),
  name text not null check (name <> ''),
  kind text not null check (kind in ('fiat', 'crypto', 'metal')),
  decimals smallint not null check (decimals between 0 and 8),
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table currencies is 'Currencies that accounts, instruments and rates are quoted in. Keyed by ISO 4217 code or ticker.';
comment on column currencies.decimals is 'Digits after the point at which amounts are shown and rounded.';

create table exchange_rates (
  base_currency text not null references currencies (code),
  quote_currency text not null references currencies (code),
  as_of timestamptz not null,
  rate numeric(24,12) not null check (rate > 0),
  source text not null check (source <> ''),
  created_at timestamptz not null default now(),
  primary key (base_currency, quote_currency, as_of),
  constraint exchange_rates_currencies_differ check (base_currency <> quote_currency)
);
comment on table exchange_rates is 'Rates for turning profit, margin and exposure into an account''s currency.';
comment on column exchange_rates.rate is 'Units of quote_currency for one unit of base_currency.';

-- People and access

create table users (
  id uuid primary key default gen_random_uuid(),
  email text not null check (email = lower(email) and email ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' and length(email) <= 254),
  username text not null check (username ~ '^[a-z0-9][a-z0-9_.-]{2,49}$'),
  password_hash text not null
    constraint users_password_hash_bcrypt check (password_hash ~ '^\$2[aby]\$(1[0-9]|2[0-9]|3[01])\$[./A-Za-z0-9]{53}$'),
  full_name text not null check (full_name <> ''),
  phone text check (phone ~ '^\+[1-9][0-9]{5,14}$'),
  country_code text check (country_code ~ '^[A-Z]{2}$'),
  time_zone text not null default 'UTC',
  status text not null default 'pending' check (status in ('pending', 'active', 'suspended', 'closed')),
  kyc_status text not null default 'not_started'
    check (kyc_status in ('not_started', 'pending', 'approved', 'rejected', 'expired')),
  email_verified_at timestamptz,
  two_factor_enabled boolean not null default false,
  two_factor_secret text,
  failed_login_attempts integer not null default 0 check (failed_login_attempts >= 0),
  locked_until timestamptz,
  last_login_at timestamptz,
  last_login_ip inet,
  password_changed_at timestamptz not null default now(),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint users_deleted_after_creation check (deleted_at >= created_at),
  constraint users_two_factor_has_secret check (not two_factor_enabled or two_factor_secret is not null)
);
comment on table users is
  'People who log in: clients, traders and staff. Never deleted while accounts refer to them; deleted_at hides them.';
comment on column users.password_hash is 'bcrypt, cost 10 or more. Redacted in audit rows.';
comment on column users.two_factor_secret is 'TOTP secret, encrypted by the application. Redacted in audit rows.';
comment on column users.locked_until is 'No login before this time, set after too many failed attempts.';
comment on column users.deleted_at is 'Soft delete: email and username become free for another user.';

create table roles (
  id uuid primary key default gen_random_uuid(),
  name text not null unique check (name ~ '^[a-z][a-z_]{1,49}$'),
  description text not null,
  is_system boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table roles is 'Roles of the application (not of the database).';
comment on column roles.is_system is 'Shipped with the schema; the application does not let it be removed.';

create table permissions (
  id uuid primary key default gen_random_uuid(),
  resource text not null check (resource ~ '^[a-z][a-z_]*$'),
  action text not null check (action ~ '^[a-z][a-z_]*$'),
  description text not null,
  created_at timestamptz not null default now(),
  unique (resource, action)
);
comment on table permissions is 'What can be allowed: an action on a kind of resource.';

create table role_permissions (
  role_id uuid not null references roles (id) on delete cascade,
  permission_id uuid not null references permissions (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (role_id, permission_id)
);
comment on table role_permissions is 'Permissions that a role carries.';

create table user_roles (
  user_id uuid not null references users (id) on delete cascade,
  role_id uuid not null references roles (id),
  granted_by uuid references users (id),
  granted_at timestamptz not null default now(),
  expires_at timestamptz constraint user_roles_expires_after_grant check (expires_at > granted_at),
  primary key (user_id, role_id)
);
comment on table user_roles is 'Roles that a user holds.';
comment on column user_roles.expires_at is 'The role counts until then; null means until it is taken away.';

create table sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  token_hash text not null unique check (token_hash ~ '^[0-9a-f]{64}$'),
  ip inet not null,
  user_agent text,
  two_factor_passed boolean not null default false,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoke_reason text check (revoke_reason in ('logout', 'password_change', 'admin', 'suspicious')),
  constraint sessions_expires_after_creation check (expires_at > created_at),
  constraint sessions_seen_after_creation check (last_seen_at >= created_at),
  constraint sessions_revoked_has_reason check ((revoked_at is null) = (revoke_reason is null))
);
comment on table sessions is 'Logged-in sessions. Their id is the session_id of activity and audit rows.';
comment on column sessions.token_hash is 'SHA-256 of the bearer token in hex; the token itself is never stored.';

create table login_attempts (
  id uuid primary key default gen_random_uuid(),
  user_id uuid references users (id) on delete cascade,
  email text not null,
  succeeded boolean not null,
  failure_reason text
    check (failure_reason in ('unknown_user', 'wrong_password', 'wrong_second_factor', 'locked', 'suspended', 'rate_limited')),
  ip inet not null,
  user_agent text,
  attempted_at timestamptz not null default now(),
  constraint login_attempts_failed_has_reason check (succeeded = (failure_reason is null)),
  constraint login_attempts_success_has_user check (not succeeded or user_id is not null)
);
comment on table login_attempts is 'Every login tried, also for addresses that no user has; feeds lockout and intrusion alerts.';

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
comment on column password_reset_tokens.token_hash is 'SHA-256 of the token in hex.';

-- Accounts

create table accounts (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id),
  account_number text not null unique check (account_number ~ '^[A-Z0-9-]{6,20}$'),
  name text not null default '',
  account_type text not null check (account_type in ('live', 'demo', 'margin')),
  status text not null default 'pending' check (status in ('pending', 'active', 'suspended', 'closed')),
  currency text not null references currencies (code),
  balance numeric(24,8) not null default 0,
  credit numeric(24,8) not null default 0 check (credit >= 0),
  margin_used numeric(24,8) not null default 0 check (margin_used >= 0),
  unrealized_pnl numeric(24,8) not null default 0,
  equity numeric(24,8) generated always as (balance + credit + unrealized_pnl) stored,
  free_margin numeric(24,8) generated always as (balance + credit + unrealized_pnl - margin_used) stored,
  leverage smallint not null default 1 check (leverage between 1 and 1000),
  position_mode text not null default 'netting' check (position_mode in ('netting', 'hedging')),
  margin_call_level numeric(9,6) not null default 1.0 check (margin_call_level > 0),
  stop_out_level numeric(9,6) not null default 0.5 check (stop_out_level > 0),
  allow_negative_balance boolean not null default false,
  last_transaction_number bigint not null default 0 check (last_transaction_number >= 0),
  version integer not null default 1 check (version > 0),
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint accounts_deleted_after_creation check (deleted_at >= created_at),
  constraint accounts_balance_not_negative check (balance >= 0 or allow_negative_balance),
  constraint accounts_stop_out_below_margin_call check (stop_out_level < margin_call_level),
  constraint accounts_closed_has_time check ((status = 'closed') = (closed_at is not null)),
  constraint accounts_closed_is_empty check (status <> 'closed' or (balance = 0 and margin_used = 0)),
  constraint accounts_deleted_is_closed check (deleted_at is null or status = 'closed')
);
comment on table accounts is 'Trading accounts. The balance moves only by rows in account_transactions.';
comment on column accounts.balance is 'Sum of account_transactions.amount; checked at commit.';
comment on column accounts.margin_call_level is 'Equity over margin used below which a margin call is raised; 1.0 is 100 %.';
comment on column accounts.stop_out_level is 'Equity over margin used below which positions are closed.';
comment on column accounts.last_transaction_number is 'Number of the newest row in account_transactions; kept by its trigger.';

create table api_keys (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  account_id uuid references accounts (id),
  name text not null check (name <> ''),
  key_prefix text not null unique check (key_prefix ~ '^[A-Za-z0-9_]{8,16}$'),
  key_hash text not null unique check (key_hash ~ '^[0-9a-f]{64}$'),
  scopes text[] not null
    check (cardinality(scopes) > 0 and scopes <@ array['read', 'trade', 'withdraw']::text[]),
  allowed_networks cidr[] not null default '{}',
  rate_limit_per_minute integer not null default 600 check (rate_limit_per_minute > 0),
  last_used_at timestamptz,
  last_used_ip inet,
  expires_at timestamptz constraint api_keys_expires_after_creation check (expires_at > created_at),
  revoked_at timestamptz constraint api_keys_revoked_after_creation check (revoked_at >= created_at),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint api_keys_withdraw_needs_network check (not 'withdraw' = any (scopes) or cardinality(allowed_networks) > 0)
);
comment on table api_keys is 'Keys for programs, in a user''s name and at most that user''s rights.';
comment on column api_keys.key_prefix is 'First characters of the key, to tell keys apart in lists and logs.';
comment on column api_keys.key_hash is 'SHA-256 of the key in hex. Redacted in audit rows.';
comment on column api_keys.account_id is 'Limits the key to one account; null means all accounts of the user.';
comment on column api_keys.allowed_networks is 'Networks the key may be used from; empty means anywhere, not allowed for withdrawals.';

create table payments (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references accounts (id),
  currency text not null references currencies (code),
  direction text not null check (direction in ('deposit', 'withdrawal')),
  method text not null check (method in ('bank_transfer', 'card', 'crypto', 'e_wallet', 'internal')),
  status text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled')),
  amount numeric(24,8) not null check (amount > 0),
  fee numeric(24,8) not null default 0 constraint payments_fee_below_amount check (fee >= 0 and fee < amount),
  net_amount numeric(24,8) generated always as (amount - fee) stored,
  provider text,
  provider_reference text,
  idempotency_key text not null unique check (idempotency_key <> ''),
  requested_by uuid not null references users (id),
  approved_by uuid references users (id),
  approved_at timestamptz,
  completed_at timestamptz,
  failure_reason text,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (provider, provider_reference),
  constraint payments_approved_has_time check ((approved_by is null) = (approved_at is null)),
  constraint payments_four_eyes check (approved_by <> requested_by),
  constraint payments_withdrawal_approved check (direction = 'deposit' or status <> 'completed' or approved_by is not null),
  constraint payments_completed_has_time check ((status = 'completed') = (completed_at is not null)),
  constraint payments_failed_has_reason check ((status = 'failed') = (failure_reason is not null))
);
comment on table payments is 'Deposits and withdrawals on their way; a completed one is booked in account_transactions.';
comment on column payments.idempotency_key is 'Chosen by the caller: the same request sent twice is one payment.';
comment on column payments.currency is 'What was sent; converted where the account has another currency.';
comment on column payments.fee is 'Part of amount that the house or the provider keeps.';

-- Instruments and market data

create table instruments (
  id uuid primary key default gen_random_uuid(),
  symbol text not null unique check (symbol ~ '^[A-Z0-9][A-Z0-9._]{1,19}$'),
  name text not null check (name <> ''),
  description text,
  asset_class text not null check (asset_class in ('forex', 'crypto', 'commodity', 'index', 'equity')),
  base_currency text references currencies (code),
  quote_currency text not null references currencies (code),
  contract_size numeric(24,8) not null default 1 check (contract_size > 0),
  tick_size numeric(20,10) not null check (tick_size > 0),
  price_decimals smallint not null check (price_decimals between 0 and 10),
  min_quantity numeric(24,8) not null check (min_quantity > 0),
  max_quantity numeric(24,8) not null,
  quantity_step numeric(24,8) not null check (quantity_step > 0),
  max_leverage smallint not null default 1 check (max_leverage between 1 and 1000),
  swap_long numeric(9,6) not null default 0,
  swap_short numeric(9,6) not null default 0,
  commission_rate numeric(9,6) not null default 0 check (commission_rate >= 0 and commission_rate < 1),
  trading_status text not null default 'active' check (trading_status in ('active', 'halted', 'close_only', 'delisted')),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz constraint instruments_deleted_after_creation check (deleted_at >= created_at),
  constraint instruments_quantity_range check (max_quantity >= min_quantity),
  constraint instruments_pair_has_base check (asset_class not in ('forex', 'crypto') or base_currency is not null),
  constraint instruments_pair_differs check (base_currency <> quote_currency),
  constraint instruments_tick_fits_decimals check (tick_size = round(tick_size, price_decimals))
);
comment on table instruments is 'What can be traded, with its contract terms.';
comment on column instruments.contract_size is 'Units of the underlying in a quantity of 1.';
comment on column instruments.swap_long is 'Overnight financing of a long position, percent a year of its notional; negative is paid by the client.';
comment on column instruments.swap_short is 'The same for a short position.';
comment on column instruments.commission_rate is 'Share of the notional, charged on each fill.';

create table instrument_sessions (
  id uuid primary key default gen_random_uuid(),
  instrument_id uuid not null references instruments (id) on delete cascade,
  weekday smallint not null check (weekday between 1 and 7),
  opens_at time not null,
  closes_at time not null,
  created_at timestamptz not null default now(),
  constraint instrument_sessions_closes_after_opening check (closes_at > opens_at),
  constraint instrument_sessions_no_overlap exclude using gist (
    instrument_id with =,
    weekday with =,
    int4range(extract(epoch from opens_at)::integer, extract(epoch from closes_at)::integer) with &&
  )
);
comment on table instrument_sessions is 'Weekly trading hours in UTC. A session over midnight is two rows; 24:00 closes a day.';
comment on column instrument_sessions.weekday is 'ISO: 1 is Monday, 7 is Sunday.';

create table price_bars (
  instrument_id uuid not null references instruments (id),
  timeframe text not null check (timeframe in ('1m', '5m', '15m', '1h', '4h', '1d')),
  opened_at timestamptz not null,
  open numeric(20,10) not null,
  high numeric(20,10) not null,
  low numeric(20,10) not null check (low > 0),
  close numeric(20,10) not null,
  volume numeric(24,8) not null default 0 check (volume >= 0),
  tick_count integer not null default 0 check (tick_count >= 0),
  primary key (instrument_id, timeframe, opened_at),
  constraint price_bars_high_is_highest check (high >= greatest(open, low, close)),
  constraint price_bars_low_is_lowest check (low <= least(open, high, close))
);
comment on table price_bars is 'Price history as OHLC bars, one series an instrument and timeframe.';
comment on column price_bars.opened_at is 'Start of the bar; a bar covers [opened_at, opened_at + timeframe).';

-- Positions, orders, fills, trades

create table positions (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references accounts (id),
  instrument_id uuid not null references instruments (id),
  side text not null check (side in ('long', 'short')),
  status text not null default 'open' check (status in ('open', 'closed')),
  is_netting boolean not null default true,
  quantity numeric(24,8) not null,
  opened_quantity numeric(24,8) not null check (opened_quantity > 0),
  average_entry_price numeric(20,10) not null check (average_entry_price > 0),
  average_exit_price numeric(20,10) check (average_exit_price > 0),
  current_price numeric(20,10) check (current_price > 0),
  stop_loss numeric(20,10) check (stop_loss > 0),
  take_profit numeric(20,10) check (take_profit > 0),
  margin_used numeric(24,8) not null default 0 check (margin_used >= 0),
  unrealized_pnl numeric(24,8) not null default 0,
  realized_pnl numeric(24,8) not null default 0,
  commission numeric(24,8) not null default 0 check (commission >= 0),
  swap numeric(24,8) not null default 0,
  close_reason text check (close_reason in ('client', 'stop_loss', 'take_profit', 'stop_out', 'expiry', 'admin')),
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  version integer not null default 1 check (version > 0),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint positions_quantity_range check (quantity >= 0 and quantity <= opened_quantity),
  constraint positions_open_has_quantity check ((status = 'open') = (quantity > 0)),
  constraint positions_closed_has_time check ((status = 'closed') = (closed_at is not null)),
  constraint positions_closed_has_reason check ((status = 'closed') = (close_reason is not null)),
  constraint positions_closed_is_settled check (status = 'open' or (unrealized_pnl = 0 and margin_used = 0)),
  constraint positions_closed_after_opening check (closed_at >= opened_at),
  constraint positions_exits_on_their_sides check (
    stop_loss is null or take_profit is null
    or (side = 'long' and stop_loss < take_profit) or (side = 'short' and stop_loss > take_profit)
  )
);
comment on table positions is 'Open and closed positions of an account in an instrument.';
comment on column positions.is_netting is 'One open position an instrument; false for accounts that hedge.';
comment on column positions.opened_quantity is 'Everything that was ever added to the position.';
comment on column positions.swap is 'Overnight financing so far; negative was paid by the client.';

create table orders (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references accounts (id),
  instrument_id uuid not null references instruments (id),
  user_id uuid references users (id),
  position_id uuid references positions (id),
  parent_order_id uuid references orders (id),
  client_order_id text not null check (client_order_id <> '' and length(client_order_id) <= 64),
  side text not null check (side in ('buy', 'sell')),
  order_type text not null check (order_type in ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')),
  time_in_force text not null default 'gtc' check (time_in_force in ('gtc', 'day', 'ioc', 'fok', 'gtd')),
  status text not null default 'pending_new' check (status in (
    'pending_new', 'new', 'partially_filled', 'filled', 'pending_cancel', 'cancelled', 'rejected', 'expired')),
  quantity numeric(24,8) not null check (quantity > 0),
  filled_quantity numeric(24,8) not null default 0,
  remaining_quantity numeric(24,8) generated always as (quantity - filled_quantity) stored,
  display_quantity numeric(24,8),
  limit_price numeric(20,10) check (limit_price > 0),
  stop_price numeric(20,10) check (stop_price > 0),
  trailing_offset numeric(20,10) check (trailing_offset > 0),
  average_fill_price numeric(20,10) check (average_fill_price > 0),
  stop_loss numeric(20,10) check (stop_loss > 0),
  take_profit numeric(20,10) check (take_profit > 0),
  is_reduce_only boolean not null default false,
  is_post_only boolean not null default false,
  source text not null default 'api' check (source in ('api', 'web', 'mobile', 'fix', 'system')),
  session_id uuid references sessions (id) on delete set null,
  ip inet,
  reject_reason text,
  submitted_at timestamptz not null default now(),
  accepted_at timestamptz,
  filled_at timestamptz,
  cancelled_at timestamptz,
  expires_at timestamptz,
  version integer not null default 1 check (version > 0),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (account_id, client_order_id),
  unique (id, account_id, instrument_id),
  constraint orders_parent_is_another check (parent_order_id <> id),
  constraint orders_filled_quantity_range check (filled_quantity >= 0 and filled_quantity <= quantity),
  constraint orders_display_quantity_range check (display_quantity > 0 and display_quantity <= quantity),
  constraint orders_prices_fit_type check (case order_type
    when 'market' then limit_price is null and stop_price is null and trailing_offset is null
    when 'limit' then limit_price is not null and stop_price is null and trailing_offset is null
    when 'stop' then limit_price is null and stop_price is not null and trailing_offset is null
    when 'stop_limit' then limit_price is not null and stop_price is not null and trailing_offset is null
    when 'trailing_stop' then limit_price is null and trailing_offset is not null
    else false end),
  constraint orders_exits_on_their_sides check (
    stop_loss is null or take_profit is null
    or (side = 'buy' and stop_loss < take_profit) or (side = 'sell' and stop_loss > take_profit)
  ),
  constraint orders_gtd_has_expiry check ((time_in_force = 'gtd') = (expires_at is not null)),
  constraint orders_expiry_after_submission check (expires_at > submitted_at),
  constraint orders_market_is_immediate check (order_type <> 'market' or time_in_force in ('ioc', 'fok', 'day')),
  constraint orders_post_only_is_limit check (not is_post_only or (order_type = 'limit' and time_in_force not in ('ioc', 'fok'))),
  constraint orders_status_fits_fills check (case status
    when 'pending_new' then filled_quantity = 0
    when 'new' then filled_quantity = 0
    when 'rejected' then filled_quantity = 0
    when 'partially_filled' then filled_quantity > 0 and filled_quantity < quantity
    when 'filled' then filled_quantity = quantity
    else filled_quantity < quantity end),
  constraint orders_average_price_with_fills check ((filled_quantity > 0) = (average_fill_price is not null)),
  constraint orders_filled_has_time check ((status = 'filled') = (filled_at is not null)),
  constraint orders_cancelled_has_time check ((status = 'cancelled') = (cancelled_at is not null)),
  constraint orders_rejected_has_reason check ((status = 'rejected') = (reject_reason is not null)),
  constraint orders_worked_was_accepted check (status in ('pending_new', 'rejected', 'cancelled', 'expired') or accepted_at is not null)
);
comment on table orders is 'Orders through their life. filled_quantity and average_fill_price follow from order_fills.';
comment on column orders.client_order_id is 'Chosen by the client, unique in the account: the same order sent twice is one order.';
comment on column orders.display_quantity is 'Part shown to the market at a time (iceberg); null shows all.';
comment on column orders.parent_order_id is 'The order that this one belongs to: child slice, bracket leg or replacement.';
comment on column orders.trailing_offset is 'Distance in price units at which a trailing stop follows the market.';
comment on column orders.stop_loss is 'Exit to place on the position that this order opens.';

create table order_fills (
  id uuid primary key default gen_random_uuid(),
  order_id uuid not null references orders (id),
  venue text not null check (venue <> ''),
  execution_id text not null check (execution_id <> ''),
  quantity numeric(24,8) not null check (quantity > 0),
  price numeric(20,10) not null check (price > 0),
  liquidity_provider_id uuid,
  liquidity text not null default 'taker' check (liquidity in ('maker', 'taker')),
  commission numeric(24,8) not null default 0,
  commission_currency text references currencies (code),
  executed_at timestamptz not null default now(),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  unique (venue, execution_id),
  constraint order_fills_commission_has_currency check (commission = 0 or commission_currency is not null)
);
comment on table order_fills is 'Executions reported by venues. Append-only; each one moves its order.';
comment on column order_fills.execution_id is 'The venue''s own id: a report received twice is one fill.';
comment on column order_fills.liquidity_provider_id is 'Who filled it; null when the house did. Its foreign key comes with the providers.';
comment on column order_fills.commission is 'Charged; negative is a rebate.';

create table trades (
  id uuid primary key default gen_random_uuid(),
  fill_id uuid not null unique references order_fills (id),
  order_id uuid not null,
  account_id uuid not null,
  instrument_id uuid not null,
  position_id uuid references positions (id),
  side text not null check (side in ('buy', 'sell')),
  quantity numeric(24,8) not null check (quantity > 0),
  price numeric(20,10) not null check (price > 0),
  notional numeric(30,8) generated always as (round(quantity * price, 8)) stored,
  is_closing boolean not null default false,
  realized_pnl numeric(24,8) not null default 0,
  commission numeric(24,8) not null default 0,
  swap numeric(24,8) not null default 0,
  executed_at timestamptz not null,
  settles_on date not null,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  foreign key (order_id, account_id, instrument_id) references orders (id, account_id, instrument_id),
  constraint trades_pnl_when_closing check (is_closing or realized_pnl = 0),
  constraint trades_settle_after_execution check (settles_on >= (executed_at at time zone 'UTC')::date)
);
comment on table trades is 'The book: one row a fill, with the account, the position it moved and what it earned. Append-only.';
comment on column trades.account_id is 'The order''s, as is the instrument: the foreign key spans all three.';
comment on column trades.notional is 'quantity × price, in the instrument''s quote currency, before contract size.';
comment on column trades.realized_pnl is 'In the account''s currency; only closing trades have any.';

create table account_transactions (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references accounts (id),
  sequence_number bigint not null check (sequence_number > 0),
  transaction_type text not null check (transaction_type in (
    'deposit', 'withdrawal', 'trade_pnl', 'commission', 'rebate', 'swap', 'fee', 'transfer', 'adjustment', 'reversal')),
  amount numeric(24,8) not null check (amount <> 0),
  balance_before numeric(24,8) not null,
  balance_after numeric(24,8) not null,
  payment_id uuid references payments (id),
  trade_id uuid references trades (id),
  reverses_id uuid unique references account_transactions (id),
  idempotency_key text not null check (idempotency_key <> ''),
  description text not null default '',
  created_by uuid references users (id),
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  unique (account_id, sequence_number),
  unique (account_id, idempotency_key),
  constraint account_transactions_balance_adds_up check (balance_after = balance_before + amount),
  constraint account_transactions_sign_fits_type check (case
    when transaction_type in ('deposit', 'rebate') then amount > 0
    when transaction_type in ('withdrawal', 'commission', 'fee') then amount < 0
    else true end),
  constraint account_transactions_reversal_names_its_row check ((transaction_type = 'reversal') = (reverses_id is not null)),
  constraint account_transactions_trade_pnl_names_trade check (transaction_type <> 'trade_pnl' or trade_id is not null)
);
comment on table account_transactions is 'The ledger of each account: numbered without gaps, append-only, each row carries the balance on.';
comment on column account_transactions.amount is 'Signed, in the account''s currency, which stays what it is once there is a row here.';
comment on column account_transactions.sequence_number is 'Given by trigger under the account''s row lock, as are both balances.';

-- Ledger: each row takes the account's lock, continues its numbering and moves its balance.

create function apply_account_transaction() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  account accounts%rowtype;
  reversed account_transactions%rowtype;
begin
  select * into account from accounts where id = new.account_id for update;
  if not found then
    -- The foreign key is what refuses this row; not null must not come first.
    new.sequence_number := 1;
    new.balance_before := 0;
    new.balance_after := new.amount;
    return new;
  end if;
  if account.status = 'closed' then
    raise exception 'account % is closed and takes no transactions', account.account_number
      using errcode = 'check_violation', constraint = 'account_transactions_account_open', table = 'account_transactions';
  end if;
  if new.transaction_type = 'reversal' then
    select * into reversed from account_transactions where id = new.reverses_id;
    if found and (reversed.account_id <> account.id or reversed.amount <> -new.amount) then
      raise exception 'account %: a reversal of % does not undo transaction % of %', account.account_number, new.amount, reversed.id,
        reversed.amount
        using errcode = 'check_violation', constraint = 'account_transactions_reversal_undoes_its_row', table = 'account_transactions',
              hint = 'A reversal has the account and the negative amount of its row; anything else is an adjustment.';
    end if;
  end if;
  new.sequence_number := account.last_transaction_number + 1;
  new.balance_before := account.balance;
  new.balance_after := account.balance + new.amount;
  -- A row that is there already leaves the balance alone, so that INSERT ... ON CONFLICT DO NOTHING can be repeated.
  if exists (
    select from account_transactions
    where id = new.id or (account_id = new.account_id and idempotency_key = new.idempotency_key)
  ) then
    return new;
  end if;
  update accounts
  set balance = new.balance_after, last_transaction_number = new.sequence_number
  where id = new.account_id;
  return new;
end
$$;
comment on function apply_account_transaction() is 'Trigger: numbers a ledger row and moves the account''s balance with it.';

create function guard_account_update() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if new.currency <> old.currency and old.last_transaction_number > 0 then
    raise exception 'account %: currency cannot go from % to %, it has transactions', old.account_number, old.currency, new.currency
      using errcode = 'check_violation', constraint = 'accounts_currency_stays', table = 'accounts',
            hint = 'Open another account and transfer the balance.';
  end if;
  return new;
end
$$;
comment on function guard_account_update() is 'Trigger: the ledger''s amounts keep their meaning.';

create function check_account_balance() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  account accounts%rowtype;
  ledger_number bigint;
  ledger_balance numeric;
begin
  select * into account from accounts where id = new.id;
  if not found then
    return null;
  end if;
  select sequence_number, balance_after into ledger_number, ledger_balance
  from account_transactions where account_id = account.id order by sequence_number desc limit 1;
  if account.balance <> coalesce(ledger_balance, 0) or account.last_transaction_number <> coalesce(ledger_number, 0) then
    raise exception 'account %: balance % (transaction %) differs from its ledger: % (transaction %)', account.account_number,
      account.balance, account.last_transaction_number, coalesce(ledger_balance, 0), coalesce(ledger_number, 0)
      using errcode = 'check_violation', constraint = 'accounts_balance_matches_ledger', table = 'accounts',
            hint = 'Insert into account_transactions instead; its trigger moves the balance.';
  end if;
  return null;
end
$$;
comment on function check_account_balance() is 'Constraint trigger at commit: an account''s balance is that of its newest ledger row.';

create trigger apply_account_transaction before insert on account_transactions
  for each row execute function apply_account_transaction();
create trigger guard_account_update before update of currency on accounts
  for each row execute function guard_account_update();
create constraint trigger check_balance_on_insert after insert on accounts deferrable initially deferred
  for each row execute function check_account_balance();
create constraint trigger check_balance_on_update after update of balance, last_transaction_number on accounts
  deferrable initially deferred
  for each row execute function check_account_balance();

-- Payments: what is asked for stays, and what has ended has ended: the ledger was booked from it.

create function guard_payment_update() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  if new.status <> old.status
     and (old.status in ('completed', 'failed', 'cancelled') or (old.status = 'processing' and new.status = 'pending')) then
    raise exception 'payment %: status cannot go from % to %', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'payments_status_transition', table = 'payments';
  end if;
  if (new.account_id, new.currency, new.direction, new.method, new.amount, new.idempotency_key, new.requested_by)
     is distinct from (old.account_id, old.currency, old.direction, old.method, old.amount, old.idempotency_key, old.requested_by) then
    raise exception 'payment %: account, currency, direction, method, amount, idempotency_key and requester never change', old.id
      using errcode = 'check_violation', constraint = 'payments_terms_stay', table = 'payments',
            hint = 'Cancel the payment and request another.';
  end if;
  if old.status in ('completed', 'failed', 'cancelled')
     and (new.fee, new.approved_by, new.approved_at, new.completed_at, new.failure_reason)
         is distinct from (old.fee, old.approved_by, old.approved_at, old.completed_at, old.failure_reason) then
    raise exception 'payment % is % and no longer changes', old.id, old.status
      using errcode = 'check_violation', constraint = 'payments_final_stays', table = 'payments';
  end if;
  return new;
end
$$;
comment on function guard_payment_update() is 'Trigger: holds a payment to what was asked for and, once it has ended, to how it ended.';

create trigger guard_payment_update before update on payments
  for each row execute function guard_payment_update();

-- Orders: allowed transitions, terms that stay, fills that move them.

create function order_transition_allowed(from_status text, to_status text) returns boolean
  language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp
as $$
  select case from_status
    when 'pending_new' then to_status in ('new', 'rejected', 'cancelled', 'expired')
    when 'new' then to_status in ('partially_filled', 'filled', 'pending_cancel', 'cancelled', 'rejected', 'expired')
    when 'partially_filled' then to_status in ('filled', 'pending_cancel', 'cancelled', 'expired')
    -- A cancel can be refused by the venue, or cross with a fill.
    when 'pending_cancel' then to_status in ('new', 'partially_filled', 'filled', 'cancelled', 'expired')
    else false
  end
$$;
comment on function order_transition_allowed(text, text) is 'Whether an order may go from one status to another; final statuses lead nowhere.';

create function guard_order_update() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
begin
  if new.status <> old.status and not order_transition_allowed(old.status, new.status) then
    raise exception 'order %: status cannot go from % to %', old.id, old.status, new.status
      using errcode = 'check_violation', constraint = 'orders_status_transition', table = 'orders';
  end if;
  if (new.account_id, new.instrument_id, new.side, new.order_type, new.client_order_id)
     is distinct from (old.account_id, old.instrument_id, old.side, old.order_type, old.client_order_id) then
    raise exception 'order %: account, instrument, side, type and client_order_id never change', old.id
      using errcode = 'check_violation', constraint = 'orders_identity_stays', table = 'orders',
            hint = 'Cancel the order and place another.';
  end if;
  if old.status in ('filled', 'cancelled', 'rejected', 'expired')
     and (new.quantity, new.filled_quantity, new.limit_price, new.stop_price, new.average_fill_price)
         is distinct from (old.quantity, old.filled_quantity, old.limit_price, old.stop_price, old.average_fill_price) then
    raise exception 'order % is % and its terms no longer change', old.id, old.status
      using errcode = 'check_violation', constraint = 'orders_final_stays', table = 'orders';
  end if;
  return new;
end
$$;
comment on function guard_order_update() is 'Trigger: holds an order to its life cycle and to the terms it was placed with.';

create function apply_order_fill() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  filled orders%rowtype;
begin
  select * into filled from orders where id = new.order_id for update;
  if not found then
    return null; -- the foreign key says it better
  end if;
  if filled.status not in ('new', 'partially_filled', 'pending_cancel') then
    raise exception 'order % is % and takes no fill', filled.id, filled.status
      using errcode = 'check_violation', constraint = 'order_fills_order_working', table = 'order_fills';
  end if;
  update orders
  set filled_quantity = filled.filled_quantity + new.quantity,
      average_fill_price = (coalesce(filled.average_fill_price, 0) * filled.filled_quantity + new.price * new.quantity)
                           / (filled.filled_quantity + new.quantity),
      status = case
        when filled.filled_quantity + new.quantity >= filled.quantity then 'filled'
        when filled.status = 'pending_cancel' then 'pending_cancel'
        else 'partially_filled' end,
      filled_at = case when filled.filled_quantity + new.quantity >= filled.quantity then new.executed_at end
  where id = filled.id;
  return null;
end
$$;
comment on function apply_order_fill() is 'Trigger: adds a fill to its order under the order''s row lock.';

create function check_order_filled_quantity() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp
as $$
declare
  checked orders%rowtype;
  fills_quantity numeric;
begin
  select * into checked from orders where id = new.id;
  if not found then
    return null;
  end if;
  select coalesce(sum(quantity), 0) into fills_quantity from order_fills where order_id = checked.id;
  if checked.filled_quantity <> fills_quantity then
    raise exception 'order %: filled_quantity % differs from the sum of its fills %', checked.id, checked.filled_quantity, fills_quantity
      using errcode = 'check_violation', constraint = 'orders_filled_quantity_matches_fills', table = 'orders',
            hint = 'Insert into order_fills instead; its trigger moves the order.';
  end if;
  return null;
end
$$;
comment on function check_order_filled_quantity() is 'Constraint trigger at commit: an order has been filled by exactly the sum of its fills.';

create trigger guard_order_update before update on orders
  for each row execute function guard_order_update();
create trigger apply_order_fill after insert on order_fills
  for each row execute function apply_order_fill();
create constraint trigger check_fills_on_insert after insert on orders deferrable initially deferred
  for each row execute function check_order_filled_quantity();
create constraint trigger check_fills_on_update after update of filled_quantity on orders deferrable initially deferred
  for each row execute function check_order_filled_quantity();

-- The books are append-only, by privilege and by trigger.

do $$
declare
  book text;
begin
  foreach book in array array['order_fills', 'trades', 'account_transactions'] loop
    perform revoke_from_grantees(book::regclass, array['UPDATE', 'DELETE', 'TRUNCATE']);
    execute format('create trigger reject_row_change before update or delete on %I for each row execute function reject_row_change()', book);
    execute format('create trigger reject_truncate before truncate on %I for each statement execute function reject_row_change()', book);
  end loop;
end
$$;

-- updated_at and version.

do $$
declare
  stamped text;
begin
  foreach stamped in array array[
    'currencies', 'users', 'roles', 'accounts', 'api_keys', 'payments', 'instruments', 'positions', 'orders'
  ] loop
    execute format('create trigger set_updated_at before update on %I for each row execute function set_updated_at()', stamped);
  end loop;
  foreach stamped in array array['accounts', 'positions', 'orders'] loop
    execute format('create trigger bump_version before update on %I for each row execute function bump_version()', stamped);
  end loop;
end
$$;
